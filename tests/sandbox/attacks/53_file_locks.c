// As many locks as there are bytes, on a file of its own.
// expect: EXIT0|MLE|CPU
// prints: contained
// limits: cpu=1 memory=64M
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	int fd = open("/tmp/file", O_CREAT | O_RDWR, 0600);

	for (long n = 0; n < 2000000; n++) {
		struct flock lock = { .l_type = n % 2 ? F_RDLCK : F_WRLCK, .l_start = n * 2, .l_len = 1 };
		if (fcntl(fd, F_SETLK, &lock))
			break;
	}
	puts("contained");
	return 0;
}
