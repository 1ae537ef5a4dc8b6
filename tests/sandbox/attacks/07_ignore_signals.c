// expect: CPU
// limits: cpu=0.4 wall=3
#include <signal.h>
#include <string.h>

static void handler(int number) { (void)number; }

int main(void)
{
	struct sigaction act;
	sigset_t all;

	memset(&act, 0, sizeof act);
	act.sa_handler = handler;
	sigfillset(&act.sa_mask);
	for (int n = 1; n < 65; n++)
		sigaction(n, &act, NULL);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	for (volatile int n = 0;; n = n + 1)
		;
}
