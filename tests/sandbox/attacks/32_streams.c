// Closes the streams and puts files, directories and their own copies in their place.
// expect: EXIT0
// prints: contained
// runs: 2
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

int main(void)
{
	struct rlimit most;

	if (write(1, "contained\n", 10) != 10)
		return 2;
	getrlimit(RLIMIT_NOFILE, &most);
	most.rlim_cur = most.rlim_max;
	setrlimit(RLIMIT_NOFILE, &most);
	for (int fd = 0; fd < 3; fd++) {
		close(fd);
		open(fd == 1 ? "/tmp" : "/tmp/file", fd == 1 ? O_RDONLY : O_CREAT | O_RDWR, 0600);
	}
	if (write(1, "lost", 4) > 0)
		return 3;
	for (int n = 0; n < 200000; n++)
		if (dup(0) < 0)
			break;
	close(0);
	close(1);
	close(2);
	return 0;
}
