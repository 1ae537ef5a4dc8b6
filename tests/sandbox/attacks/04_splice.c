// Moves pages into the pipe without writing them.
// expect: OLE|RE
// limits: output=100K
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

int main(void)
{
	static char data[1 << 16];
	struct iovec part = { data, sizeof data };
	int zero = open("/dev/zero", O_RDONLY), file = open("/tmp/file", O_RDWR | O_CREAT, 0600);

	if (write(file, data, sizeof data) < 0)
		return 2;
	fcntl(1, F_SETPIPE_SZ, 1 << 20);
	for (int n = 0; n < 100000; n++) {
		loff_t at = 0;
		off_t start = 0;
		ssize_t moved = 0, one;

		if ((one = splice(zero, NULL, 1, NULL, 1 << 16, 0)) > 0)
			moved += one;
		if ((one = splice(file, &at, 1, NULL, 1 << 16, 0)) > 0)
			moved += one;
		if ((one = sendfile(1, file, &start, 1 << 16)) > 0)
			moved += one;
		if ((one = vmsplice(1, &part, 1, 0)) > 0)
			moved += one;
		if (moved == 0)
			return 1;
	}
	return 0;
}
