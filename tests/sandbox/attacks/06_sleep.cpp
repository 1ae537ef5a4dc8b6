// expect: WALL
// limits: wall=0.4
#include <unistd.h>

int main()
{
	for (;;)
		pause();
}
