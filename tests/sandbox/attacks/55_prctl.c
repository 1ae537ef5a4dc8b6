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
	prctl(PR_SET_PDEATHSIG, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prctl(PR_SET_DUMPABLE, 0);
	prctl(PR_SET_NAME, "touchstone-jail");
	prctl(PR_SET_KEEPCAPS, 1);
	if (prctl(PR_SET_SECUREBITS, 0x2f) == 0)
		puts("reached: securebits");
	if (prctl(PR_SET_SECCOMP, 0, 0, 0, 0) == 0)
		puts("reached: seccomp off");
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		puts("reached: new privileges");
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 0)
		puts("reached: no filter");
	puts("contained");
	fflush(stdout);
	for (int n = 0; n < 4; n++)
		if (fork() == 0) {
			setsid();
			prctl(PR_SET_PDEATHSIG, 0);
			prctl(PR_SET_CHILD_SUBREAPER, 1);
			if (fork() == 0)
				for (;;)
					pause();
			for (;;)
				pause();
		}
	return 0;
}
