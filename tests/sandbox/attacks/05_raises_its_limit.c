// expect: CPU
// limits: cpu=0.3 wall=3
#include <signal.h>
#include <sys/resource.h>

int main(void)
{
	struct rlimit most = { RLIM_INFINITY, RLIM_INFINITY };

	for (int what = 0; what < 16; what++) {
		setrlimit(what, &most);
		struct rlimit soft;
		getrlimit(what, &soft);
		soft.rlim_cur = soft.rlim_max;
		setrlimit(what, &soft);
	}
	for (int n = 1; n < 65; n++)
		signal(n, SIG_IGN);
	for (volatile int n = 0;; n = n + 1)
		;
}
