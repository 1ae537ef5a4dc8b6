// Every system call that must be refused, by its number, with arguments that would make it work
// or fail for a reason of its own. Only EPERM and ENOSYS say that nobody has looked at them.
// expect: EXIT0
// prints: contained
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ONE(name) { #name, SYS_##name }

int main(void)
{
	static const struct {
		const char *name;
		long number;
	} calls[] = {
		/* processes of others */
		ONE(ptrace), ONE(process_vm_readv), ONE(process_vm_writev), ONE(kcmp), { "pidfd_getfd", 438 },
		{ "process_madvise", 440 }, { "process_mrelease", 448 }, ONE(migrate_pages), ONE(move_pages),
		/* the network */
		ONE(socket), ONE(connect), ONE(bind), ONE(listen), ONE(accept), ONE(accept4),
		/* mounts, roots, namespaces */
		ONE(mount), ONE(umount2), ONE(pivot_root), ONE(chroot), ONE(unshare), ONE(setns),
		{ "open_tree", 428 }, { "move_mount", 429 }, { "fsopen", 430 }, { "fsconfig", 431 },
		{ "fsmount", 432 }, { "fspick", 433 }, { "clone3", 435 }, { "mount_setattr", 442 },
		{ "statmount", 457 }, { "listmount", 458 }, ONE(name_to_handle_at), ONE(open_by_handle_at),
		ONE(fanotify_init), ONE(fanotify_mark),
		/* what outlives a run */
		ONE(shmget), ONE(semget), ONE(msgget), ONE(mq_open), ONE(add_key), ONE(request_key), ONE(keyctl),
		/* large parts of the kernel */
		ONE(bpf), ONE(perf_event_open), ONE(userfaultfd), { "io_uring_setup", 425 },
		{ "io_uring_enter", 426 }, { "io_uring_register", 427 }, ONE(personality), ONE(vmsplice),
		{ "memfd_secret", 447 }, ONE(lookup_dcookie), ONE(nfsservctl), { "quotactl_fd", 443 },
		/* the machine */
		ONE(kexec_load), ONE(init_module), ONE(finit_module), ONE(delete_module), ONE(reboot),
		ONE(swapon), ONE(swapoff), ONE(syslog), ONE(acct), ONE(quotactl), ONE(settimeofday),
		ONE(clock_settime), ONE(adjtimex), ONE(clock_adjtime), ONE(sethostname), ONE(setdomainname),
		ONE(vhangup),
#ifdef SYS_kexec_file_load
		ONE(kexec_file_load),
#endif
#ifdef __x86_64__
		ONE(iopl), ONE(ioperm), ONE(modify_ldt), ONE(uselib), ONE(_sysctl), ONE(sysfs), ONE(ustat),
		ONE(create_module), ONE(get_kernel_syms), ONE(query_module), ONE(tuxcall), ONE(security),
		{ "x32 getpid", 0x40000000 | 39 }, { "x32 execve", 0x40000000 | 520 },
		{ "x32 ptrace", 0x40000000 | 521 }, { "x32 io_setup", 0x40000000 | 543 },
#endif
	};

	for (unsigned n = 0; n < sizeof calls / sizeof *calls; n++) {
		errno = 0;
		long result = syscall(calls[n].number, 0, 0, 0, 0, 0, 0);
		if (result >= 0 || (errno != EPERM && errno != ENOSYS))
			printf("reached: %s, result %ld, error %d\n", calls[n].name, result, errno);
	}
	/* Newer than any list of today. */
	for (long number = 470; number < 1100; number++)
		if (syscall(number, 0, 0, 0, 0, 0, 0) >= 0 || (errno != ENOSYS && errno != EPERM))
			printf("reached: number %ld, error %d\n", number, errno);
	for (long number = -1; number < 4; number++)
		if (syscall(0x7fffffff - number, 0, 0, 0, 0, 0, 0) >= 0 || (errno != ENOSYS && errno != EPERM))
			printf("reached: number %ld, error %d\n", 0x7fffffff - number, errno);
	puts("contained");
	return 0;
}
