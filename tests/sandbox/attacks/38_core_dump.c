// expect: SIG6
// runs: 2
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

int main(void)
{
	struct rlimit most = { RLIM_INFINITY, RLIM_INFINITY };

	if (setrlimit(RLIMIT_CORE, &most) == 0)
		puts("reached: a core may be written");
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	if (access("/tmp/core", F_OK) == 0)
		puts("reached: a core of the run before");
	fflush(stdout);
	abort();
}
