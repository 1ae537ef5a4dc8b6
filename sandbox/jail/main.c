/*
 * touchstone-jail: shuts programs in and runs them one after the other.
 *
 *   touchstone-jail tier=3 users=2 parent=PID driver_uid=N run_uid=N tmp_bytes=N box_bytes=N
 *       stack_bytes=N nofile=N [work=DIR] [ro=PATH]... [cgroup=DIR]... [cpu=FILE] [raw=1]
 *       -- [ARGV...]
 *
 * fd 3 is one end of a Unix stream socket; the server's end is the jail's life line.
 *
 *   launcher  in the server's namespaces: makes those of the jail, and waits. When the server's
 *             end of fd 3 closes it kills the tree, and ends only when the tree is gone.
 *   init      pid 1 of the jail: takes commands from fd 3 (supervise.c), gives each run its pipes,
 *             drains them, ends runs at their limits, empties /tmp.
 *   zygote    pid 2: ARGV, a warm interpreter that forks each run, or the spawner (spawn.c), which
 *             forks and executes it. Under the system call filter, in the slot's cgroup.
 *   run       the untrusted program, a child of the zygote.
 *
 * How a run is kept from zygote and init: users=2: it has another user id (tier 3: of a user
 * namespace with these two ids alone). users=1, tier 3: the filter refuses signals to pids 1 and
 * 2, and the zygote cannot be traced. Tier 1: a Landlock domain of its own.
 *
 * Tier 3 with users=2 must be started by root, with users=1 by anybody who may make user
 * namespaces; tier 2 by root; tier 1 by anybody. Never set-uid. Exit status: EXIT_SETUP with a
 * line on stderr when the jail could not be built, EXIT_LOST when init was killed from outside,
 * otherwise init's own.
 *
 * Not covered: limits of memory and of the number of processes, which the server sets on the
 * cgroup, or has each run set as rlimits where there is none.
 */
#include "jail.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct config config = { .users = 2, .cpu_fd = -1, .box_fd = -1 };

void die(const char *format, ...)
{
	int error = errno;
	va_list arguments;

	fprintf(stderr, "touchstone-jail: ");
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	if (error)
		fprintf(stderr, ": %s", strerror(error));
	fprintf(stderr, "\n");
	fflush(stderr);
	_exit(EXIT_SETUP);
}

void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		die("write %s", path);
	close(fd);
}

/* ---- arguments ---------------------------------------------------------- */

static unsigned long long number(const char *text, const char *name)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || end == text || *end || *text == '-') {
		errno = 0;
		die("%s: '%s' is not a number", name, text);
	}
	return value;
}

static void collect(const char **list, int *count, const char *value, const char *name)
{
	if (*count == MAX_PATHS) {
		errno = 0;
		die("%s: more than %d", name, MAX_PATHS);
	}
	list[(*count)++] = value;
}

static void set(const char *name, const char *value)
{
#define IS(text) (strcmp(name, text) == 0)
	if (IS("tier"))
		config.tier = (int)number(value, name);
	else if (IS("users"))
		config.users = (int)number(value, name);
	else if (IS("raw"))
		config.raw = number(value, name) != 0;
	else if (IS("parent"))
		config.parent = (pid_t)number(value, name);
	else if (IS("driver_uid"))
		config.driver_uid = (uid_t)number(value, name);
	else if (IS("run_uid"))
		config.run_uid = (uid_t)number(value, name);
	else if (IS("tmp_bytes"))
		config.tmp_bytes = number(value, name);
	else if (IS("box_bytes"))
		config.box_bytes = number(value, name);
	else if (IS("stack_bytes"))
		config.stack_bytes = number(value, name);
	else if (IS("nofile"))
		config.nofile = number(value, name);
	else if (IS("work"))
		config.work = value;
	else if (IS("cpu"))
		config.cpu = value;
	else if (IS("ro"))
		collect(config.ro, &config.n_ro, value, name);
	else if (IS("cgroup"))
		collect(config.cgroup, &config.n_cgroup, value, name);
	else {
		errno = 0;
		die("unknown argument '%s'", name);
	}
#undef IS
}

static void parse(char **argv)
{
	for (argv++; *argv && strcmp(*argv, "--") != 0; argv++) {
		char *equals = strchr(*argv, '=');

		errno = 0;
		if (!equals)
			die("'%s' is not NAME=VALUE", *argv);
		*equals = 0;
		set(*argv, equals + 1);
	}
	errno = 0;
	if (!*argv)
		die("'--' is missing");
	config.argv = argv + 1;
	if (config.tier < 1 || config.tier > 3 || config.users < 1 || config.users > 2)
		die("tier must be 1 to 3 and users 1 or 2");
	if ((config.tier == 1 && config.users == 2) || (config.tier == 2 && config.users == 1))
		die("tier 1 has one user, tier 2 has two");
	if (!config.parent || !config.tmp_bytes || !config.box_bytes || !config.stack_bytes || !config.nofile)
		die("parent, tmp_bytes, box_bytes, stack_bytes and nofile are required");
	if (config.users == 2 && (!config.driver_uid || !config.run_uid || config.driver_uid == config.run_uid))
		die("users=2 needs driver_uid and run_uid, which must differ");
	if ((config.tier < 3) != (config.work != NULL))
		die("work is for tiers 1 and 2, which need it");
	if (config.raw && !*config.argv)
		die("raw needs something to run");
}

/* ---- tiers 1 and 2: the end of a tree --------------------------------------- */

/* Children of this process, which orphans of the jail become (it is their subreaper). */
static void kill_children(void)
{
	FILE *file = fopen("/proc/thread-self/children", "re");
	int pid;

	while (file && fscanf(file, "%d", &pid) == 1)
		kill(pid, SIGKILL);
	if (file)
		fclose(file);
}

/* Kills every process of the jail but the caller, and waits for them. The kernel makes one
 * kill(-1) of all it reaches, forks in progress included: in tier 1 this process's Landlock
 * domain is the jail's, in tier 2 the user is. What a hostile run does to the killer is undone
 * by the next round, and what becomes this process's child is killed by its number. */
void kill_everything(void)
{
	static const struct timespec pause = { .tv_nsec = 1000000 };
	pid_t killer, pid;

	do {
		if (config.tier == 1)
			kill(-1, SIGKILL);
		else if ((killer = fork()) == 0) {
			if (!setresgid(config.run_uid, config.run_uid, config.run_uid) &&
			    !setresuid(config.run_uid, config.run_uid, config.run_uid))
				kill(-1, SIGKILL);
			_exit(0);
		} else if (killer > 0)
			waitpid(killer, NULL, 0);
		kill_children();
		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
			;
		if (pid == 0)
			nanosleep(&pause, NULL);
	} while (pid == 0);
}

/* ---- launcher ----------------------------------------------------------- */

static void open_cgroups(void)
{
	char path[PATH_MAX];

	for (int i = 0; i < config.n_cgroup; i++) {
		if (snprintf(path, sizeof path, "%s/cgroup.procs", config.cgroup[i]) >= (int)sizeof path)
			die("path too long: %s", config.cgroup[i]);
		config.join_fd[i] = open(path, O_WRONLY | O_CLOEXEC);
		if (config.join_fd[i] < 0)
			die("%s", path);
	}
	if (config.cpu && (config.cpu_fd = open(config.cpu, O_RDONLY | O_CLOEXEC)) < 0)
		die("%s", config.cpu);
}

/* An ordinary user's way to namespaces: one of users, in which the caller is INSIDE_RUN_ID. */
static void become_own_root(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	char map[64];

	if (unshare(CLONE_NEWUSER))
		die("user namespace");
	write_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof map, "%d %u 1\n", INSIDE_RUN_ID, uid);
	write_file("/proc/self/uid_map", map);
	snprintf(map, sizeof map, "%d %u 1\n", INSIDE_RUN_ID, gid);
	write_file("/proc/self/gid_map", map);
}

static pid_t start_init(int *pidfd, int hang_up)
{
	unsigned long flags = CLONE_PIDFD | SIGCHLD;
	pid_t init;

	if (config.tier == 3)
		flags |= CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET;
	init = (pid_t)syscall(SYS_clone, flags, NULL, pidfd, NULL, 0);
	if (init < 0)
		die("namespaces");
	if (init == 0)
		supervise(hang_up);
	return init;
}

int main(int argc, char **argv)
{
	int alive[2], pidfd = -1, status;
	pid_t init;

	(void)argc;
	parse(argv);
	if (config.tier == 3 && config.users == 1)
		become_own_root();
	/* Tiers 1 and 2 have no pid namespace that dies with its init: there the launcher must
	 * outlive the server to kill the rest, and learns of its end from fd 3. */
	if (config.tier == 3 ? prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) : prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
		die("prctl");
	if (getppid() != config.parent) /* it died before the line above */
		return EXIT_LOST;
	setsid(); /* out of reach of the terminal's Ctrl-C; fails only for a leader, which is as good */
	if (syscall(SYS_close_range, CONTROL_FD + 1, ~0U, 0))
		die("close_range");
	/* A first SIGCHLD must not be lost to an inherited "ignore". */
	signal(SIGCHLD, SIG_DFL);
	open_cgroups();
	if (config.tier == 1)
		enter_signal_domain();
	if (pipe2(alive, O_CLOEXEC))
		die("pipe");
	init = start_init(&pidfd, alive[0]);
	close(alive[0]);
	for (;;) {
		struct pollfd wait_for[2] = { { .fd = CONTROL_FD, .events = POLLRDHUP },
					      { .fd = pidfd, .events = POLLIN } };

		if (poll(wait_for, 2, -1) < 0 && errno != EINTR)
			die("poll");
		if (wait_for[0].revents & (POLLRDHUP | POLLHUP | POLLERR)) {
			kill(init, SIGKILL);
			break;
		}
		if (wait_for[1].revents)
			break;
	}
	/* In tier 3 this returns when every process of the namespace is gone. */
	while (waitpid(init, &status, 0) < 0)
		if (errno != EINTR)
			die("waitpid");
	if (config.tier < 3)
		kill_everything();
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_LOST;
}
