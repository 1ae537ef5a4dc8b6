// expect: OLE
// limits: output=100K
// stdin: 1
// stdin: 2
#include <cstdio>
#include <unistd.h>

int main()
{
	static char data[1 << 16];
	int fd = getchar() - '0';
	for (;;)
		if (write(fd, data, sizeof data) < 0)
			continue;
}
