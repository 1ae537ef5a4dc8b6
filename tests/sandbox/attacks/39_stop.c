// expect: WALL
// limits: wall=0.3
#include <signal.h>

int main(void)
{
	for (;;)
		raise(SIGSTOP);
}
