// expect: SIG11|MLE
// limits: memory=64M
#include <cstdio>

int deep(volatile char *above)
{
	volatile char here[4096];
	here[0] = above[0] + 1;
	return deep(here) + here[0];
}

int main()
{
	char start[1] = { 0 };
	printf("%d\n", deep(start));
}
