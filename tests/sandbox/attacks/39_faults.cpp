// expect: SIG11 SIG8 SIG6 SIG6 SIG4 SIG5 SIG9 SIG7 SIG11 SIG31
// tiers: T3
// stdin: 0
// stdin: 1
// stdin: 2
// stdin: 3
// stdin: 4
// stdin: 5
// stdin: 6
// stdin: 7
// stdin: 8
// stdin: 9
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <stdexcept>
#include <sys/mman.h>
#include <unistd.h>

int main()
{
	volatile int zero = 0;
	volatile int *volatile nowhere = nullptr;
	switch (getchar()) {
	case '0': *nowhere = 1; break;
	case '1': raise(SIGFPE); return 1 / zero;
	case '2': abort();
	case '3': throw std::runtime_error("uncaught");
	case '4': raise(SIGILL); break;
	case '5': raise(SIGTRAP); break;
	case '6': kill(getpid(), SIGKILL); break;
	case '7': {
		int fd = open("/tmp/file", O_CREAT | O_RDWR, 0600);
		if (ftruncate(fd, 1))
			return 1;
		volatile char *p = (char *)mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		p[4096] = 1;
		break;
	}
	case '8': ((void (*)())mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))(); break;
	default: raise(SIGSYS);
	}
}
