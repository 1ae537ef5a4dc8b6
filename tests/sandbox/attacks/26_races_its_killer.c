// Forks faster than one can kill, each child from a fresh session.
// expect: EXIT0|CPU
// prints: contained
// runs: 2
// limits: cpu=1 wall=3
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	puts("contained");
	fflush(stdout);
	for (int n = 0; n < 16; n++)
		if (fork() == 0)
			for (;;)
				if (fork() > 0)
					_exit(0);
				else
					setsid();
	return 0;
}
