// Children that share its memory, and threads, as fast as they are given.
// expect: RE|CPU|WALL|MLE
// limits: cpu=0.5 wall=2
#define _GNU_SOURCE
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

static int spin(void *unused)
{
	(void)unused;
	for (;;)
		pause();
}

int main(void)
{
	for (;;) {
		char *stack = malloc(4096);

		clone(spin, stack + 4096, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD, NULL);
		clone(spin, stack + 4096, CLONE_VM, NULL);
		if (vfork() == 0)
			_exit(0);
	}
}
