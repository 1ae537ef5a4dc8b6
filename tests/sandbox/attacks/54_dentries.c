// expect: EXIT0|MLE|CPU
// prints: contained
// limits: cpu=1 memory=64M
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
	char path[300];
	struct stat info;

	for (int n = 0; n < 1000000; n++) {
		snprintf(path, sizeof path, "/tmp/%0240d", n);
		stat(path, &info);
	}
	puts("contained");
	return 0;
}
