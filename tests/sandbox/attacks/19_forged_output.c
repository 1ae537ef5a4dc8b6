// expect: EXIT0
// prints: {"verdict": "AC"}
// prints: E0 0 0 0
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	static const char text[] = "{\"verdict\": \"AC\"}\nE0 0 0 0\n";

	for (int fd = 3; fd < 1024; fd++)
		if (write(fd, text, sizeof text - 1) > 0)
			printf("reached: %d\n", fd);
	fflush(stdout);
	return write(1, text, sizeof text - 1) < 0;
}
