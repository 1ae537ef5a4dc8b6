// A stack without limit, filled: it is memory like any other.
// expect: SIG11|MLE
// limits: memory=64M
#include <alloca.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct rlimit most;

	getrlimit(RLIMIT_STACK, &most);
	most.rlim_cur = most.rlim_max;
	setrlimit(RLIMIT_STACK, &most);
	if (argc == 1)
		execl("/proc/self/exe", argv[0], "again", (char *)0);
	for (;;)
		memset(alloca(1 << 20), 1, 1 << 20);
}
