// Kernel memory, logs, symbols and devices, by path and by relative ways out of the root.
// expect: EXIT0
// prints: contained
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/klog.h>
#include <unistd.h>

int main(void)
{
	static const char *paths[] = {
		"/proc/kcore", "/proc/kallsyms", "/proc/kmsg", "/proc/kpagemap", "/proc/sys/kernel/randomize_va_space",
		"/proc/sys/fs/binfmt_misc/register", "/proc/sysrq-trigger", "/proc/1/root/etc/shadow", "/proc/1/mem",
		"/proc/self/root/etc/shadow", "/proc/thread-self/root/../etc/shadow", "/sys/kernel/uevent_helper",
		"/sys/kernel/debug", "/dev/mem", "/dev/kmem", "/dev/vda", "/dev/sda", "/dev/kvm", "/dev/fuse", "/dev/vsock",
		"/dev/vhost-net", "/etc/shadow", "/../../../etc/shadow", "/tmp/../../etc/shadow", "/dev/../etc/shadow",
	};
	char data[64], text[4096];

	for (unsigned n = 0; n < sizeof paths / sizeof *paths; n++)
		for (int mode = O_RDONLY; mode <= O_RDWR; mode++) {
			int fd = open(paths[n], mode | O_NONBLOCK);
			if (fd >= 0 && (mode != O_RDONLY || read(fd, data, sizeof data) > 0))
				printf("reached: %s\n", paths[n]);
		}
	if (klogctl(3, text, sizeof text) > 0)
		puts("reached: the kernel's log");
	puts("contained");
	return 0;
}
