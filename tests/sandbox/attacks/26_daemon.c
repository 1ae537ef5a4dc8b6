// expect: EXIT0
// prints: contained
// runs: 2
// within: 10
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(void)
{
	puts("contained");
	fflush(stdout);
	for (int n = 1; n < 65; n++)
		signal(n, SIG_IGN);
	for (int n = 0; n < 8; n++)
		if (fork() == 0) {
			setsid();
			prctl(PR_SET_PDEATHSIG, 0);
			if (fork() != 0)
				_exit(0);
			for (volatile int k = 0;; k = k + 1)
				if (n % 2)
					pause();
		}
	return 0;
}
