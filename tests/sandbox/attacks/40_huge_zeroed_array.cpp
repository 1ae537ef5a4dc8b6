// The same without a byte in the file; it is the run that needs them.
// expect: CE|MLE|RE|EXIT0
// never_prints: reached
// limits: memory=64M
#include <cstdio>
#include <cstring>
static char data[1L << 34];
int main()
{
	memset(data, 1, sizeof data);
	puts("reached");
}
