// Becomes root, by call, by a set-user-id file of its own and by those that are there.
// expect: EXIT0
// prints: contained
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static void check(const char *after)
{
	uid_t real, effective, saved;
	gid_t groups[3];

	getresuid(&real, &effective, &saved);
	getresgid(&groups[0], &groups[1], &groups[2]);
	if (!real || !effective || !saved || !groups[0] || !groups[1] || !groups[2])
		printf("reached: root after %s\n", after);
}

int main(int argc, char **argv)
{
	char data[65536];
	gid_t root = 0;

	(void)argc;
	if (strcmp(argv[0], "again") == 0) {
		check("a set-user-id file");
		return 0;
	}
	check("nothing");
	if (setuid(0) == 0 || setreuid(0, 0) == 0 || setresuid(0, 0, 0) == 0 || seteuid(0) == 0)
		puts("reached: setuid");
	if (setgid(0) == 0 || setregid(0, 0) == 0 || setresgid(0, 0, 0) == 0 || setgroups(1, &root) == 0)
		puts("reached: setgid");
	setfsuid(0);
	check("calls");
	/* A copy of itself with the bits of both. */
	int from = open("/proc/self/exe", O_RDONLY), to = open("/tmp/again", O_CREAT | O_WRONLY, 0755);
	for (ssize_t n; (n = read(from, data, sizeof data)) > 0;)
		if (write(to, data, n) < 0)
			break;
	if (fchown(to, 0, 0) == 0)
		puts("reached: chown");
	fchmod(to, 06755);
	struct statvfs told;
	if (fstatvfs(to, &told) == 0 && !(told.f_flag & ST_NOSUID))
		puts("noticed: /tmp honours set-user-id bits");
	if (setxattr("/tmp/again", "security.capability", "\1\0\0\2\377\377\377\377", 8, 0) == 0)
		puts("reached: file capabilities");
	close(to);
	fflush(stdout);
	int pid = fork();
	if (pid == 0) {
		execl("/tmp/again", "again", NULL);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	static const char *folders[] = { "/bin", "/usr/bin", "/usr/sbin", "/sbin", "/usr/lib/openssh", "/usr/lib/dbus-1.0", "/usr/libexec" };
	for (int n = 0; n < 7; n++) {
		DIR *folder = opendir(folders[n]);
		for (struct dirent *one; folder && (one = readdir(folder));) {
			char path[512];
			struct stat info;

			snprintf(path, sizeof path, "%s/%s", folders[n], one->d_name);
			if (stat(path, &info) || !(info.st_mode & S_ISUID))
				continue;
			int ends[2];
			if (pipe(ends))
				return 2;
			pid = fork();
			if (pid == 0) {
				/* What a privileged one would tell by being able to. */
				dup2(ends[1], 2);
				dup2(ends[1], 1);
				execl(path, path, "-s", "/bin/sh", "-c", "id -u; cat /etc/shadow", NULL);
				_exit(0);
			}
			close(ends[1]);
			ssize_t length = read(ends[0], data, sizeof data - 1);
			data[length > 0 ? length : 0] = 0;
			close(ends[0]);
			kill(pid, 9);
			waitpid(pid, NULL, 0);
			if (strncmp(data, "0\n", 2) == 0 || strstr(data, "root:"))
				printf("reached: %s\n", path);
		}
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0)
		puts("reached: new privileges");
	unsigned header[2] = { 0x20080522, 0 }, sets[6] = { ~0U, ~0U, ~0U, ~0U, ~0U, ~0U };
	if (syscall(SYS_capset, header, sets) == 0)
		puts("reached: capabilities");
	puts("contained");
	return 0;
}
