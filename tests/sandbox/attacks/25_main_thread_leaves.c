// The first thread is gone; another goes on.
// expect: CPU
// limits: cpu=0.4 wall=3
#include <pthread.h>

static void *burn(void *unused)
{
	(void)unused;
	for (volatile int n = 0;; n = n + 1)
		;
}

int main(void)
{
	pthread_t one;

	pthread_create(&one, NULL, burn, NULL);
	pthread_exit(NULL);
}
