// Every family, type and protocol by number, VSOCK (the door of a micro-VM) among them.
// expect: EXIT0
// prints: contained
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
	for (int family = 0; family < 48; family++)
		for (int type = 0; type < 12; type++)
			for (int protocol = 0; protocol < 3; protocol++) {
				int pair[2];

				if (syscall(SYS_socket, family, type, protocol * 8) >= 0)
					printf("reached: socket %d %d %d\n", family, type, protocol * 8);
				else if (errno != EPERM && errno != ENOSYS && errno != EACCES && protocol == 0 && type == 1)
					printf("reached: the kernel's own answer for family %d, %d\n", family, errno);
				if (family != AF_UNIX && socketpair(family, type, protocol, pair) == 0)
					printf("reached: pair %d %d\n", family, type);
			}
	for (int number = 0; number < 3; number++) {
		struct sockaddr address = { .sa_family = AF_INET };

		errno = 0;
		if (connect(number, &address, sizeof address) == 0 || errno == EINPROGRESS)
			printf("reached: connect %d\n", number);
		if (bind(number, &address, sizeof address) == 0)
			printf("reached: bind %d\n", number);
		if (listen(number, 1) == 0)
			printf("reached: listen %d\n", number);
	}
	puts("contained");
	return 0;
}
