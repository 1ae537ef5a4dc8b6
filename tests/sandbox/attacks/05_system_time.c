// All of its time is the kernel's.
// expect: CPU
// limits: cpu=0.3 wall=3
#include <fcntl.h>
#include <unistd.h>

int main(void)
{
	static char data[1 << 20];
	int fd = open("/dev/zero", O_RDONLY);
	for (;;)
		if (read(fd, data, sizeof data) < 0)
			return 1;
}
