// The same with arguments with which the kernel would do it.
// expect: EXIT0
// prints: contained
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

static void tell(const char *name, long result)
{
	if (result >= 0)
		printf("reached: %s\n", name);
}

int main(void)
{
	struct io_uring_params ring;
	union bpf_attr map;
	struct perf_event_attr event;

	memset(&ring, 0, sizeof ring);
	tell("io_uring", syscall(425, 8, &ring));
	memset(&map, 0, sizeof map);
	map.map_type = BPF_MAP_TYPE_ARRAY;
	map.key_size = map.value_size = 4;
	map.max_entries = 1;
	tell("bpf", syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof map));
	memset(&event, 0, sizeof event);
	event.size = sizeof event;
	event.type = PERF_TYPE_SOFTWARE;
	event.config = PERF_COUNT_SW_CPU_CLOCK;
	event.exclude_kernel = 1;
	tell("perf", syscall(SYS_perf_event_open, &event, 0, -1, -1, 0));
	tell("userfaultfd", syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY));
	int fd = open("/dev/userfaultfd", O_RDWR);
	tell("userfaultfd by its device", fd);
	tell("add_key", syscall(SYS_add_key, "user", "name", "value", 5, KEY_SPEC_SESSION_KEYRING));
	tell("keyctl", syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 1));
	tell("request_key", syscall(SYS_request_key, "user", "name", NULL, KEY_SPEC_SESSION_KEYRING));
	tell("personality", personality(ADDR_NO_RANDOMIZE | READ_IMPLIES_EXEC));
	tell("memfd_secret", syscall(447, 0));
	tell("fanotify", syscall(SYS_fanotify_init, 0x200, O_RDONLY));
	tell("mq_open", syscall(SYS_mq_open, "q", O_CREAT | O_RDWR, 0600, NULL));
	tell("pidfd_getfd", syscall(438, syscall(SYS_pidfd_open, getpid(), 0), 1, 0));
	tell("kcmp", syscall(SYS_kcmp, getpid(), getpid(), 0, 1, 2));
	tell("syslog", syscall(SYS_syslog, 10, NULL, 0));
	puts("contained");
	return 0;
}
