// Ends well before it has printed anything, in every way there is.
// expect: EXIT0
// prints:
// stdin: 0
// stdin: 1
// stdin: 2
// stdin: 3
#include <cstdio>
#include <cstdlib>
#include <sys/syscall.h>
#include <unistd.h>

struct Early {
	~Early() { _exit(0); }
};

int main()
{
	switch (getchar()) {
	case '0': exit(0);
	case '1': _exit(0);
	case '2': syscall(SYS_exit_group, 0); break;
	default: static Early early; return 1;
	}
	puts("unreached");
}
