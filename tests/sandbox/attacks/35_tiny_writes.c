// expect: EXIT0
// never_prints: y
// limits: cpu=3 wall=10 output=2M
#include <unistd.h>

int main(void)
{
	for (int n = 0; n < 1000000; n++)
		if (write(1, "x\n" + n % 2, 1) != 1)
			return 1;
	return 0;
}
