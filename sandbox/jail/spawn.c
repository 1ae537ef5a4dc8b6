/*
 * The spawner: the zygote of programs that are executed. Init asks for a run by one packet with
 * the run's descriptors; the spawner forks, waits, and answers with how the run ended.
 *
 * The new process reads what to do from its descriptor 3: a struct start, then argc + envc
 * strings, each with its NUL. The spawner itself never sees any of it.
 */
#include "jail.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The descriptor of a program is moved to HIGH_FD or above. */
enum { LINK_FD = 3, HIGH_FD = 64, EXIT_NOT_RUN = 127 };

/* See execution.py. Zero: the spawner's own. */
struct start {
	uint32_t size; /* of all that follows these four bytes */
	uint32_t argc, envc, cpu_seconds;
	uint64_t file_bytes, stack_bytes, processes;
};

static void __attribute__((noreturn)) give_up(const char *what)
{
	fprintf(stderr, "cannot be run: %s: %s\n", what, strerror(errno));
	fflush(stderr);
	_exit(EXIT_NOT_RUN);
}

static void read_exactly(int fd, void *into, size_t size)
{
	while (size > 0) {
		ssize_t count = read(fd, into, size);
		if (count <= 0)
			_exit(EXIT_LOST);
		into = (char *)into + count;
		size -= (size_t)count;
	}
}

static void set_limit(int resource, rlim_t soft, rlim_t hard)
{
	struct rlimit old, value = { .rlim_cur = soft, .rlim_max = hard };

	if (getrlimit(resource, &old))
		give_up("getrlimit");
	if (value.rlim_max > old.rlim_max)
		value.rlim_max = old.rlim_max;
	if (value.rlim_cur > value.rlim_max)
		value.rlim_cur = value.rlim_max;
	if (setrlimit(resource, &value))
		give_up("setrlimit");
}

static void apply_limits(const struct start *start)
{
	if (start->cpu_seconds)
		set_limit(RLIMIT_CPU, start->cpu_seconds, start->cpu_seconds);
	if (start->file_bytes)
		set_limit(RLIMIT_FSIZE, start->file_bytes, start->file_bytes);
	if (start->stack_bytes)
		set_limit(RLIMIT_STACK, start->stack_bytes, RLIM_INFINITY);
	if (start->processes)
		set_limit(RLIMIT_NPROC, start->processes, start->processes);
}

static void become_run_user(void)
{
	uid_t id = config.tier == 3 ? INSIDE_RUN_ID : config.run_uid;

	if (config.users == 2 && (setresgid(id, id, id) || setresuid(id, id, id)))
		give_up("change of user");
	/* No descriptor of Landlock rules exists where signals are kept in by other means. */
	if (config.tier == 1 && syscall(446 /* landlock_restrict_self */, RULES_FD, 0))
		give_up("Landlock");
}

static void __attribute__((noreturn)) start_run(const int fds[RUN_FDS + 1])
{
	struct start start;
	char *strings, **argv, *at;
	int program = fds[RUN_FDS];

	for (int i = 0; i < RUN_FDS; i++)
		if (dup2(fds[i], i) < 0)
			_exit(EXIT_LOST);
	if (program >= 0 && (program = fcntl(program, F_DUPFD_CLOEXEC, HIGH_FD)) < 0)
		_exit(EXIT_LOST);
	read_exactly(LINK_FD, &start, sizeof start);
	strings = malloc(start.size);
	argv = calloc(start.argc + start.envc + 2, sizeof *argv);
	if (!strings || !argv)
		give_up("memory");
	read_exactly(LINK_FD, strings, start.size - (sizeof start - sizeof start.size));
	at = strings;
	for (uint32_t i = 0; i < start.argc + start.envc; i++) {
		argv[i + (i >= start.argc)] = at;
		at += strlen(at) + 1;
	}
	setsid();
	apply_limits(&start);
	become_run_user();
	syscall(SYS_close_range, LINK_FD, HIGH_FD - 1, 0);
	if (chdir(tmp_path()))
		give_up("working directory");
	if (program >= 0)
		execveat(program, "", argv, argv + start.argc + 1, AT_EMPTY_PATH);
	else
		execve(argv[0], argv, argv + start.argc + 1);
	give_up(argv[0]);
}

/* Takes a request's descriptors; false when init is gone. */
static bool receive(int fds[RUN_FDS + 1])
{
	char byte, space[CMSG_SPACE((RUN_FDS + 1) * sizeof(int))];
	struct iovec part = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space };
	struct cmsghdr *header;

	if (recvmsg(CONTROL_FD, &message, MSG_CMSG_CLOEXEC) != 1)
		return false;
	header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_len < CMSG_LEN(RUN_FDS * sizeof(int)))
		_exit(EXIT_LOST);
	fds[RUN_FDS] = -1;
	memcpy(fds, CMSG_DATA(header), header->cmsg_len - CMSG_LEN(0));
	return true;
}

static long long cpu_us(const struct rusage *usage)
{
	return (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000LL + usage->ru_utime.tv_usec +
	       usage->ru_stime.tv_usec;
}

void run_spawner(void)
{
	int fds[RUN_FDS + 1], status;
	struct rusage usage;
	char answer[96];
	long long cpu;
	long peak;
	pid_t pid;

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		die("dumpable");
	while (receive(fds)) {
		pid = fork();
		if (pid == 0)
			start_run(fds);
		if (pid < 0)
			_exit(EXIT_LOST);
		for (int i = 0; i <= RUN_FDS; i++)
			if (fds[i] >= 0)
				close(fds[i]);
		while (wait4(pid, &status, 0, &usage) < 0)
			if (errno != EINTR)
				_exit(EXIT_LOST);
		cpu = cpu_us(&usage);
		peak = usage.ru_maxrss;
		/* Its orphans are this process's children now; those that are dead count with it. */
		while ((pid = wait4(-1, NULL, WNOHANG, &usage)) > 0) {
			cpu += cpu_us(&usage);
			peak = usage.ru_maxrss > peak ? usage.ru_maxrss : peak;
		}
		int size = snprintf(answer, sizeof answer, "%d %lld %ld %d", status, cpu, peak, pid == 0);
		if (send(CONTROL_FD, answer, (size_t)size, MSG_NOSIGNAL) < 0)
			break;
	}
	_exit(0);
}
