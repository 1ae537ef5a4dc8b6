// New namespaces, roots and mounts by every call that makes one, and by clone and vfork.
// expect: EXIT0
// prints: contained
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const int flags[] = {
	CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET, 0x80,
};

int main(void)
{
	for (int n = 0; n < 8; n++)
		for (int vm = 0; vm < 2; vm++) {
			uint64_t arguments[11] = { flags[n] | (vm ? CLONE_NEWUSER : 0) };

			if (unshare(flags[n] | (vm ? CLONE_NEWUSER : 0)) == 0)
				printf("reached: unshare %x\n", flags[n]);
			/* 0x80 is in clone's own flags a part of the signal's number. */
			if (flags[n] != 0x80) {
				int pid = syscall(SYS_clone, flags[n] | SIGCHLD | (vm ? CLONE_NEWUSER : 0), 0, 0, 0, 0);
				if (pid == 0)
					_exit(0);
				if (pid > 0)
					printf("reached: clone %x\n", flags[n]);
			}
			arguments[4] = SIGCHLD;
			int pid = syscall(435, arguments, sizeof arguments);
			if (pid == 0)
				_exit(0);
			if (pid > 0)
				printf("reached: clone3 %x\n", flags[n]);
		}
	/* clone takes the upper half of its flags for nothing, and vfork takes none. */
	int pid = syscall(SYS_clone, (1UL << 40) | CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		_exit(0);
	if (pid > 0)
		puts("reached: clone with upper bits");
#ifdef SYS_vfork
	pid = vfork();
	if (pid == 0) {
		if (unshare(CLONE_NEWUSER) == 0)
			_exit(7);
		_exit(0);
	}
	int status;
	waitpid(pid, &status, 0);
	if (WEXITSTATUS(status) == 7)
		puts("reached: unshare in a vfork");
#endif
	if (mount("none", "/tmp", "tmpfs", 0, "") == 0 || mount("/usr", "/tmp", NULL, MS_BIND, NULL) == 0)
		puts("reached: mount");
	if (mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL) == 0)
		puts("reached: remount");
	if (mount(NULL, "/", NULL, MS_SHARED | MS_REC, NULL) == 0)
		puts("reached: propagation");
	if (syscall(SYS_pivot_root, "/tmp", "/tmp") == 0 || chroot("/tmp") == 0 || umount2("/tmp", MNT_DETACH) == 0)
		puts("reached: root");
	if (syscall(428, AT_FDCWD, "/", 1) >= 0 || syscall(430, "tmpfs", 0) >= 0 || syscall(433, AT_FDCWD, "/", 0) >= 0)
		puts("reached: new mount calls");
	uint64_t attributes[4] = { 0, 1 };
	if (syscall(442, AT_FDCWD, "/usr", 0, attributes, sizeof attributes) == 0)
		puts("reached: mount_setattr");
	char handle[256] = { 64 };
	int id;
	if (syscall(SYS_name_to_handle_at, AT_FDCWD, "/", handle, &id, 0) == 0)
		puts("reached: file handles");
	puts("contained");
	return 0;
}
