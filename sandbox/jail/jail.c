/*
 * touchstone-jail: shuts one process tree in and starts a program in it.
 *
 *   touchstone-jail parent=PID driver_uid=N run_uid=N tmp_bytes=N stack_bytes=N
 *       nofile=N [ro=PATH]... [cgroup=DIR]... -- ARGV...
 *
 * fd 3 is one end of a Unix stream socket, the server's end is its life line.
 *
 *   launcher  in the server's namespaces; joins the cgroups, makes the
 *             namespaces, waits. When the server's end of fd 3 closes, or the
 *             server dies, it kills init, and with it the whole tree, and ends
 *             only when the tree is gone.
 *   init      pid 1: builds the root, starts the driver, reaps, and empties
 *             /tmp when the driver asks (one byte on fd 4, one byte back).
 *   driver    pid 2: ARGV, with fd 3 (the server) and fd 4 (init). User 0 of a
 *             user namespace that has two users: 0 (driver_uid outside) and
 *             1000 (run_uid outside). It keeps CAP_SETUID, CAP_SETGID and
 *             CAP_KILL over these two alone, so that it can become 1000 for
 *             untrusted code, which then can neither signal nor trace it.
 *
 * Must be started as root (CAP_SYS_ADMIN and CAP_SETUID in the caller's user
 * namespace); it is never set-uid. Exit status: the driver's own, 128 + signal
 * when a signal ended the driver, EXIT_SETUP with a line on stderr when the
 * jail could not be built, EXIT_LOST when init was killed from outside.
 *
 * Not covered: limits of CPU time, memory and processes, which the server sets
 * on the cgroup, and which the driver sets as rlimits for each run.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_SETUP = 120, EXIT_LOST = 121 };
enum { CONTROL_FD = 3, INIT_FD = 4 };
enum { INSIDE_RUN_ID = 1000 };
enum { MAX_PATHS = 64 };

/* Inodes of /tmp: enough for any honest program, few enough that filling them
 * costs a few MiB of the run's own memory. */
#define TMP_INODES "16384"
/* The root holds directories, links and five device nodes only. */
#define ROOT_OPTIONS "size=1m,nr_inodes=1024,mode=0755"
/* Overmounted with the new root while it is built: it exists on every host and
 * nothing below it is ever needed as the source of a bind mount. */
#define BUILD_AT "/proc"

static struct {
	pid_t parent;
	uid_t driver_uid, run_uid;
	unsigned long long tmp_bytes, stack_bytes, nofile;
	const char *ro[MAX_PATHS], *cgroup[MAX_PATHS];
	int n_ro, n_cgroup;
	char **argv;
} config;

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...)
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

static const char *value_of(const char *argument, const char *name)
{
	size_t length = strlen(name);

	return strncmp(argument, name, length) == 0 && argument[length] == '=' ? argument + length + 1 : NULL;
}

static void parse(char **argv)
{
	const char *v;

	for (argv++; *argv && strcmp(*argv, "--") != 0; argv++) {
		if ((v = value_of(*argv, "parent")))
			config.parent = (pid_t)number(v, "parent");
		else if ((v = value_of(*argv, "driver_uid")))
			config.driver_uid = (uid_t)number(v, "driver_uid");
		else if ((v = value_of(*argv, "run_uid")))
			config.run_uid = (uid_t)number(v, "run_uid");
		else if ((v = value_of(*argv, "tmp_bytes")))
			config.tmp_bytes = number(v, "tmp_bytes");
		else if ((v = value_of(*argv, "stack_bytes")))
			config.stack_bytes = number(v, "stack_bytes");
		else if ((v = value_of(*argv, "nofile")))
			config.nofile = number(v, "nofile");
		else if ((v = value_of(*argv, "ro")))
			collect(config.ro, &config.n_ro, v, "ro");
		else if ((v = value_of(*argv, "cgroup")))
			collect(config.cgroup, &config.n_cgroup, v, "cgroup");
		else {
			errno = 0;
			die("unknown argument '%s'", *argv);
		}
	}
	errno = 0;
	if (!*argv || !argv[1])
		die("nothing to run: '-- ARGV...' is missing");
	if (!config.parent || !config.driver_uid || !config.run_uid || config.driver_uid == config.run_uid)
		die("parent, driver_uid and run_uid are required, and the two users must differ");
	if (!config.tmp_bytes || !config.stack_bytes || !config.nofile)
		die("tmp_bytes, stack_bytes and nofile are required");
	config.argv = argv + 1;
}

/* ---- the root ----------------------------------------------------------- */

/* Makes the directories above `path` (absolute, below the new root). */
static void make_parents(const char *path)
{
	char copy[PATH_MAX];

	if (snprintf(copy, sizeof copy, "%s", path) >= (int)sizeof copy)
		die("path too long: %s", path);
	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		if (mkdir(copy, 0755) && errno != EEXIST)
			die("mkdir %s", copy);
		*slash = '/';
	}
}

/* Shows `source` read-only at the same place in the new root: a link as the same
 * link, a directory or a file as a bind mount without what is mounted below. */
static void show(const char *source)
{
	char at[PATH_MAX], link[PATH_MAX];
	struct stat info;
	ssize_t length;

	if (snprintf(at, sizeof at, BUILD_AT "%s", source) >= (int)sizeof at)
		die("path too long: %s", source);
	if (lstat(source, &info))
		die("%s", source);
	make_parents(at);
	if (S_ISLNK(info.st_mode)) {
		length = readlink(source, link, sizeof link - 1);
		if (length < 0)
			die("readlink %s", source);
		link[length] = 0;
		if (symlink(link, at))
			die("symlink %s", at);
		return;
	}
	if (S_ISDIR(info.st_mode)) {
		if (mkdir(at, 0755) && errno != EEXIST)
			die("mkdir %s", at);
	} else {
		int fd = open(at, O_CREAT | O_WRONLY | O_CLOEXEC, 0444);
		if (fd < 0)
			die("create %s", at);
		close(fd);
	}
	if (mount(source, at, NULL, MS_BIND, NULL))
		die("bind %s", source);
	if (mount(NULL, at, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL))
		die("make %s read-only", source);
}

static void make_device(const char *name, unsigned major_number, unsigned minor_number)
{
	char at[64];

	snprintf(at, sizeof at, BUILD_AT "/dev/%s", name);
	if (mknod(at, S_IFCHR | 0666, makedev(major_number, minor_number)))
		die("mknod %s", name);
	if (chmod(at, 0666))
		die("chmod %s", name);
}

static void make_link(const char *text, const char *at)
{
	if (symlink(text, at))
		die("symlink %s", at);
}

static void mount_tmp(const char *at)
{
	char options[160];

	snprintf(options, sizeof options, "size=%llu,nr_inodes=" TMP_INODES ",mode=0700,uid=%u,gid=%u",
		 config.tmp_bytes, config.run_uid, config.run_uid);
	if (mount("tmpfs", at, "tmpfs", MS_NOSUID | MS_NODEV, options))
		die("mount tmpfs on %s", at);
}

static void build_root(void)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		die("make mounts private");
	if (mount("tmpfs", BUILD_AT, "tmpfs", MS_NOSUID, ROOT_OPTIONS))
		die("mount the root");
	for (int i = 0; i < config.n_ro; i++)
		show(config.ro[i]);
	umask(0);
	if (mkdir(BUILD_AT "/dev", 0755) || mkdir(BUILD_AT "/proc", 0555) || mkdir(BUILD_AT "/tmp", 0755))
		die("mkdir in the root");
	make_device("null", 1, 3);
	make_device("zero", 1, 5);
	make_device("full", 1, 7);
	make_device("random", 1, 8);
	make_device("urandom", 1, 9);
	make_link("/proc/self/fd", BUILD_AT "/dev/fd");
	make_link("/proc/self/fd/0", BUILD_AT "/dev/stdin");
	make_link("/proc/self/fd/1", BUILD_AT "/dev/stdout");
	make_link("/proc/self/fd/2", BUILD_AT "/dev/stderr");
	/* POSIX semaphores and shared memory; emptied with /tmp. */
	make_link("/tmp", BUILD_AT "/dev/shm");
	umask(022);
	/* Only processes, and of these only one's own: nothing about the host. */
	if (mount("proc", BUILD_AT "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  "subset=pid,hidepid=invisible"))
		die("mount /proc");
	mount_tmp(BUILD_AT "/tmp");
	if (mount(NULL, BUILD_AT, NULL, MS_REMOUNT | MS_RDONLY | MS_NOSUID, ROOT_OPTIONS))
		die("make the root read-only");
	if (chdir(BUILD_AT) || syscall(SYS_pivot_root, ".", "."))
		die("pivot_root");
	if (umount2(".", MNT_DETACH) || chdir("/"))
		die("detach the old root");
}

/* ---- system calls ------------------------------------------------------- */

#if defined(__x86_64__)
#define THIS_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_ARCH AUDIT_ARCH_AARCH64
#else
#error "the jail knows the system calls of x86_64 and aarch64 only"
#endif

/* Not in every libc's headers; the number is the same on both machines. */
enum {
	NR_open_tree = 428, NR_move_mount = 429, NR_fsopen = 430, NR_fsconfig = 431, NR_fsmount = 432,
	NR_fspick = 433, NR_clone3 = 435, NR_pidfd_getfd = 438, NR_process_madvise = 440,
	NR_mount_setattr = 442, NR_quotactl_fd = 443, NR_memfd_secret = 447, NR_process_mrelease = 448,
	/* First number whose meaning was unknown when this list was written. */
	NR_first_unknown = 463,
};

/* Answered with EPERM. Namespaces already take the effect of most of these
 * away; refusing them keeps their code in the kernel out of reach. */
static const unsigned denied[] = {
	/* Other processes. */
	SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp, NR_pidfd_getfd,
	NR_process_madvise, NR_process_mrelease, SYS_migrate_pages, SYS_move_pages,
	/* The network; socketpair is looked at below. */
	SYS_socket, SYS_connect, SYS_bind, SYS_listen, SYS_accept, SYS_accept4, SYS_setsockopt,
	/* Mounts, roots, namespaces. */
	SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_unshare, SYS_setns, NR_open_tree,
	NR_move_mount, NR_fsopen, NR_fsconfig, NR_fsmount, NR_fspick, NR_mount_setattr,
	SYS_name_to_handle_at, SYS_open_by_handle_at, SYS_fanotify_init, SYS_fanotify_mark,
	/* What outlives a run or is shared between runs. */
	SYS_shmget, SYS_semget, SYS_msgget, SYS_mq_open, SYS_add_key, SYS_request_key, SYS_keyctl,
	/* Large or often broken parts of the kernel. */
	SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_io_uring_setup, SYS_io_uring_enter,
	SYS_io_uring_register, SYS_personality, SYS_vmsplice, NR_memfd_secret,
	/* The machine. */
	SYS_kexec_load, SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_reboot, SYS_swapon,
	SYS_swapoff, SYS_syslog, SYS_acct, SYS_quotactl, NR_quotactl_fd, SYS_settimeofday,
	SYS_clock_settime, SYS_adjtimex, SYS_clock_adjtime, SYS_sethostname, SYS_setdomainname,
	SYS_vhangup, SYS_lookup_dcookie, SYS_nfsservctl,
#ifdef SYS_kexec_file_load
	SYS_kexec_file_load,
#endif
#if defined(__x86_64__)
	SYS_iopl, SYS_ioperm, SYS_modify_ldt, SYS_uselib, SYS__sysctl, SYS_sysfs, SYS_ustat,
#endif
};

#define CLONE_NEW_ANY                                                                              \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | \
	 CLONE_NEWNET)
#define DATA(field) ((unsigned)offsetof(struct seccomp_data, field))
/* The low half of an argument: both machines are little-endian, and the
 * arguments looked at are 32 bits wide. */
#define ARGUMENT(i) (DATA(args) + 8 * (i))
#define RETURN(action) (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, (action))
#define LOAD(offset) (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (offset))
/* Skips `n` instructions unless the value meets the test. */
#define UNLESS_EQUAL(value, n) (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (n))
#define UNLESS_LEAST(value, n) (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (value), 0, (n))
#define UNLESS_ANY(bits, n) (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), 0, (n))
#define REFUSE RETURN(SECCOMP_RET_ERRNO | EPERM)
#define UNKNOWN RETURN(SECCOMP_RET_ERRNO | ENOSYS)

static void filter_system_calls(void)
{
	struct sock_filter code[2 * sizeof denied / sizeof *denied + 40];
	unsigned short n = 0;

	code[n++] = LOAD(DATA(arch));
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, THIS_ARCH, 1, 0);
	code[n++] = RETURN(SECCOMP_RET_KILL_PROCESS);
	code[n++] = LOAD(DATA(nr));
	/* Newer calls than this list, and on x86_64 the whole x32 table, whose
	 * numbers have bit 30 set. */
	code[n++] = UNLESS_LEAST(NR_first_unknown, 1);
	code[n++] = UNKNOWN;
	/* Its flags lie in memory, out of a filter's sight; libc falls back to clone. */
	code[n++] = UNLESS_EQUAL(NR_clone3, 1);
	code[n++] = UNKNOWN;
	for (size_t i = 0; i < sizeof denied / sizeof *denied; i++) {
		code[n++] = UNLESS_EQUAL(denied[i], 1);
		code[n++] = REFUSE;
	}
	code[n++] = UNLESS_EQUAL(SYS_clone, 4);
	code[n++] = LOAD(ARGUMENT(0));
	code[n++] = UNLESS_ANY(CLONE_NEW_ANY, 1);
	code[n++] = REFUSE;
	code[n++] = RETURN(SECCOMP_RET_ALLOW);
	/* asyncio's event loop makes a pair of Unix sockets; it reaches nothing else. */
	code[n++] = UNLESS_EQUAL(SYS_socketpair, 4);
	code[n++] = LOAD(ARGUMENT(0));
	code[n++] = UNLESS_EQUAL(AF_UNIX, 1);
	code[n++] = RETURN(SECCOMP_RET_ALLOW);
	code[n++] = REFUSE;
	code[n++] = UNLESS_EQUAL(SYS_ioctl, 6);
	code[n++] = LOAD(ARGUMENT(1));
	code[n++] = UNLESS_EQUAL(TIOCSTI, 1);
	code[n++] = REFUSE;
	code[n++] = UNLESS_EQUAL(TIOCLINUX, 1);
	code[n++] = REFUSE;
	code[n++] = RETURN(SECCOMP_RET_ALLOW);
	code[n++] = RETURN(SECCOMP_RET_ALLOW);

	struct sock_fprog program = { .len = n, .filter = code };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		die("no_new_privs");
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		die("seccomp");
}

/* ---- driver ------------------------------------------------------------- */

enum bound { FOR_GOOD, MAY_BE_RAISED };

static void limit(int resource, const char *name, rlim_t wanted, enum bound bound)
{
	struct rlimit value;

	if (getrlimit(resource, &value))
		die("getrlimit %s", name);
	value.rlim_cur = wanted < value.rlim_max ? wanted : value.rlim_max;
	if (bound == FOR_GOOD)
		value.rlim_max = value.rlim_cur;
	if (setrlimit(resource, &value))
		die("setrlimit %s", name);
}

static void drop_capabilities(void)
{
	for (int cap = 0; cap <= 63; cap++)
		if (cap != CAP_SETUID && cap != CAP_SETGID && cap != CAP_KILL &&
		    prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) && errno != EINVAL)
			die("drop capability %d", cap);
}

/* The child of init: becomes ARGV. `go` brings one byte once the users are mapped. */
static void __attribute__((noreturn)) become_driver(int ready, int go)
{
	static char *environment[] = { NULL };
	int empty[2];
	char byte = 'u';

	if (unshare(CLONE_NEWUSER))
		die("user namespace");
	if (write(ready, &byte, 1) != 1 || read(go, &byte, 1) != 1)
		_exit(EXIT_SETUP); /* init has said why */
	if (setgroups(0, NULL) || setresgid(0, 0, 0) || setresuid(0, 0, 0))
		die("become the driver's user");
	if (setsid() < 0)
		die("setsid");
	/* Orphans of a run come to the driver, which waits for every one. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
		die("subreaper");
	/* Pipes, as in every later run: what the interpreter finds out about
	 * its standard streams at its start stays true. */
	if (pipe(empty) || dup2(empty[0], 0) < 0 || dup2(2, 1) < 0)
		die("standard streams");
	if (syscall(SYS_close_range, INIT_FD + 1, ~0U, 0))
		die("close_range");
	limit(RLIMIT_CORE, "core", 0, FOR_GOOD);
	limit(RLIMIT_NOFILE, "nofile", config.nofile, FOR_GOOD);
	/* Programs for deep recursion ask for more, or for no limit, and fail
	 * where they do not get it. */
	limit(RLIMIT_STACK, "stack", config.stack_bytes, MAY_BE_RAISED);
	limit(RLIMIT_FSIZE, "fsize", config.tmp_bytes, FOR_GOOD);
	limit(RLIMIT_MSGQUEUE, "msgqueue", 0, FOR_GOOD);
	drop_capabilities();
	/* A server started in the background ignores SIGINT; its runs must not. */
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	filter_system_calls();
	execve(config.argv[0], config.argv, environment);
	die("exec %s", config.argv[0]);
}

/* ---- init --------------------------------------------------------------- */

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		die("write %s", path);
	close(fd);
}

static void map_users(pid_t driver)
{
	char path[64], map[96];

	snprintf(map, sizeof map, "0 %u 1\n%d %u 1\n", config.driver_uid, INSIDE_RUN_ID, config.run_uid);
	snprintf(path, sizeof path, "/proc/%d/uid_map", driver);
	write_file(path, map);
	snprintf(path, sizeof path, "/proc/%d/gid_map", driver);
	write_file(path, map);
}

static void fresh_tmp(void)
{
	if (umount2("/tmp", MNT_DETACH))
		die("unmount /tmp");
	mount_tmp("/tmp");
}

static int exit_status(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Pid 1. `launcher` hangs up when the launcher dies. */
static void __attribute__((noreturn)) run_init(int launcher)
{
	struct pollfd gone = { .fd = launcher, .events = POLLIN };
	int request[2], ready[2], go[2], signals, status;
	sigset_t child;
	pid_t driver, pid;
	char byte;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0))
		die("pdeathsig");
	if (poll(&gone, 1, 0) != 0) /* it died before the line above */
		_exit(EXIT_LOST);
	if (sethostname("sandbox", 7))
		die("sethostname");
	build_root();
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	signals = signalfd(-1, &child, SFD_CLOEXEC);
	if (signals < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, request) ||
	    pipe2(ready, O_CLOEXEC) || pipe2(go, O_CLOEXEC))
		die("pipes");
	driver = fork();
	if (driver < 0)
		die("fork");
	if (driver == 0) {
		int r = fcntl(ready[1], F_DUPFD_CLOEXEC, 16), g = fcntl(go[0], F_DUPFD_CLOEXEC, 16);
		if (r < 0 || g < 0 || dup2(request[1], INIT_FD) < 0)
			die("descriptors");
		syscall(SYS_close_range, INIT_FD + 1, 15, 0);
		/* go[1] may lie above 15; its copy must not keep the read below alive. */
		close(go[1]);
		become_driver(r, g);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) == 1) {
		map_users(driver);
		if (write(go[1], "g", 1) != 1)
			die("start the driver");
	}
	close(CONTROL_FD);
	close(request[1]);
	for (;;) {
		struct pollfd wait_for[2] = { { .fd = signals, .events = POLLIN },
					      { .fd = request[0], .events = POLLIN } };
		struct signalfd_siginfo info;

		if (poll(wait_for, 2, -1) < 0 && errno != EINTR)
			die("poll");
		if (wait_for[0].revents & POLLIN) {
			if (read(signals, &info, sizeof info) < 0)
				die("signalfd");
			while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
				if (pid == driver)
					_exit(exit_status(status));
		}
		if (wait_for[1].revents & POLLIN && read(request[0], &byte, 1) == 1) {
			fresh_tmp();
			if (write(request[0], &byte, 1) != 1)
				die("answer the driver");
		} else if (wait_for[1].revents & POLLHUP) {
			close(request[0]); /* the driver ends; SIGCHLD follows */
			request[0] = -1;
		}
	}
}

/* ---- launcher ----------------------------------------------------------- */

static void join_cgroup(const char *directory)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof path, "%s/cgroup.procs", directory) >= (int)sizeof path)
		die("path too long: %s", directory);
	write_file(path, "0");
}

int main(int argc, char **argv)
{
	int alive[2], pidfd = -1, status;
	pid_t init;
	unsigned long flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET |
			      CLONE_NEWCGROUP | CLONE_PIDFD | SIGCHLD;

	(void)argc;
	parse(argv);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0))
		die("pdeathsig");
	if (getppid() != config.parent) /* it died before the line above */
		return EXIT_LOST;
	setsid(); /* out of reach of the terminal's Ctrl-C; fails only for a leader, which is as good */
	if (syscall(SYS_close_range, CONTROL_FD + 1, ~0U, 0))
		die("close_range");
	/* A first SIGCHLD must not be lost to an inherited "ignore". */
	signal(SIGCHLD, SIG_DFL);
	for (int i = 0; i < config.n_cgroup; i++)
		join_cgroup(config.cgroup[i]);
	if (pipe2(alive, O_CLOEXEC))
		die("pipe");
	init = (pid_t)syscall(SYS_clone, flags, NULL, &pidfd, NULL, 0);
	if (init < 0)
		die("namespaces");
	if (init == 0) {
		close(alive[1]);
		run_init(alive[0]);
	}
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
	/* Returns when every process of the namespace is gone. */
	while (waitpid(init, &status, 0) < 0)
		if (errno != EINTR)
			die("waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_LOST;
}
