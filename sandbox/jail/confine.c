/*
 * What takes rights away from a process: system call filter, Landlock, rlimits, capabilities.
 */
#include "jail.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

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
	NR_pidfd_send_signal = 424, NR_open_tree = 428, NR_move_mount = 429, NR_fsopen = 430,
	NR_fsconfig = 431, NR_fsmount = 432, NR_fspick = 433, NR_pidfd_open = 434, NR_clone3 = 435,
	NR_pidfd_getfd = 438, NR_process_madvise = 440, NR_mount_setattr = 442, NR_quotactl_fd = 443,
	NR_landlock_create_ruleset = 444, NR_landlock_add_rule = 445, NR_landlock_restrict_self = 446,
	NR_memfd_secret = 447, NR_process_mrelease = 448, NR_fchmodat2 = 452,
	/* statmount; it and what is newer no libc falls back from, and no program needs. */
	NR_first_unknown = 457,
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
	SYS_shmget, SYS_shmat, SYS_semget, SYS_semop, SYS_msgget, SYS_msgsnd, SYS_msgrcv, SYS_mq_open,
	SYS_add_key, SYS_request_key, SYS_keyctl,
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

/* With one user a run could reach others of its user through these, whose first argument is a
 * process, or 0 for the caller. Refused in tier 3 for init (1) and the zygote (2), in tier 1, where
 * numbers mean nothing, for all but the caller. */
static const unsigned about_a_process[] = {
	SYS_prlimit64, SYS_sched_setaffinity, SYS_sched_setscheduler, SYS_sched_setparam, SYS_sched_setattr,
};
/* Here it is the second, and the first tells what it counts: allowed for the calling thread alone. */
static const struct {
	unsigned number, of_a_process;
} about_many[] = { { SYS_setpriority, 0 /* PRIO_PROCESS */ }, { SYS_ioprio_set, 1 /* IOPRIO_WHO_PROCESS */ } };
/* In a pid namespace with one user: refused for init, the zygote, its group and everybody. */
static const unsigned not_to_the_zygote[] = {
	SYS_kill, SYS_tkill, SYS_tgkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, NR_pidfd_open,
};

/* In tier 1, where every file of the user is the program's own and Landlock looks at contents
 * alone. */
static const unsigned denied_to_the_owner[] = {
	SYS_fchmodat, NR_fchmodat2, SYS_fchownat, SYS_setxattr, SYS_lsetxattr, SYS_removexattr,
	SYS_lremovexattr,
#if defined(__x86_64__)
	SYS_chmod, SYS_chown, SYS_lchown, SYS_utime, SYS_utimes, SYS_futimesat,
#endif
};

#define COUNT(list) (sizeof(list) / sizeof *(list))
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
#define ALLOW RETURN(SECCOMP_RET_ALLOW)
#define REFUSE RETURN(SECCOMP_RET_ERRNO | EPERM)
#define UNKNOWN RETURN(SECCOMP_RET_ERRNO | ENOSYS)

static struct sock_filter code[512];
static unsigned short n_code;

static void emit(struct sock_filter instruction)
{
	code[n_code++] = instruction;
}

/* `number` is refused when its argument `at` is one of the values; otherwise allowed. */
static void refuse_values(unsigned number, int at, const unsigned *values, unsigned char n)
{
	emit(UNLESS_EQUAL(number, 2 * n + 2));
	emit(LOAD(ARGUMENT(at)));
	for (unsigned char i = 0; i < n; i++) {
		emit(UNLESS_EQUAL(values[i], 1));
		emit(REFUSE);
	}
	emit(ALLOW);
}

static void guard_one_user(void)
{
	static const unsigned guarded[] = { 1, 2, (unsigned)-1, (unsigned)-2 };

	for (size_t i = 0; i < COUNT(about_a_process); i++) {
		if (config.tier == 3) {
			refuse_values(about_a_process[i], 0, guarded, 2);
			continue;
		}
		emit(UNLESS_EQUAL(about_a_process[i], 4));
		emit(LOAD(ARGUMENT(0)));
		emit(UNLESS_EQUAL(0, 1));
		emit(ALLOW);
		emit(REFUSE);
	}
	for (size_t i = 0; i < COUNT(about_many); i++) {
		emit(UNLESS_EQUAL(about_many[i].number, 6));
		emit(LOAD(ARGUMENT(0)));
		emit(UNLESS_EQUAL(about_many[i].of_a_process, 3));
		emit(LOAD(ARGUMENT(1)));
		emit(UNLESS_EQUAL(0, 1));
		emit(ALLOW);
		emit(REFUSE);
	}
	if (config.tier < 3)
		return; /* signals are Landlock's business */
	for (size_t i = 0; i < COUNT(not_to_the_zygote); i++)
		refuse_values(not_to_the_zygote[i], 0, guarded, COUNT(guarded));
	/* Takes /proc/2 for a pidfd. */
	emit(UNLESS_EQUAL(NR_pidfd_send_signal, 1));
	emit(REFUSE);
}

void filter_system_calls(void)
{
	/* Type into a terminal; name a process that is to get signals. */
	static const unsigned ioctls[] = { TIOCSTI, TIOCLINUX, FIOSETOWN, SIOCSPGRP };
	static const unsigned fcntls[] = { F_SETOWN, F_SETOWN_EX };
	struct sock_fprog program = { .filter = code };

	emit(LOAD(DATA(arch)));
	emit((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, THIS_ARCH, 1, 0));
	emit(RETURN(SECCOMP_RET_KILL_PROCESS));
	emit(LOAD(DATA(nr)));
	/* Calls newer than Linux 6.7, and on x86_64 the whole x32 table, whose
	 * numbers have bit 30 set. */
	emit(UNLESS_LEAST(NR_first_unknown, 1));
	emit(UNKNOWN);
	/* Its flags lie in memory, out of a filter's sight; libc falls back to clone. */
	emit(UNLESS_EQUAL(NR_clone3, 1));
	emit(UNKNOWN);
	for (size_t i = 0; i < COUNT(denied); i++) {
		emit(UNLESS_EQUAL(denied[i], 1));
		emit(REFUSE);
	}
	emit(UNLESS_EQUAL(SYS_clone, 4));
	emit(LOAD(ARGUMENT(0)));
	emit(UNLESS_ANY(CLONE_NEW_ANY, 1));
	emit(REFUSE);
	emit(ALLOW);
	/* asyncio's event loop makes a pair of Unix sockets; it reaches nothing else. */
	emit(UNLESS_EQUAL(SYS_socketpair, 4));
	emit(LOAD(ARGUMENT(0)));
	emit(UNLESS_EQUAL(AF_UNIX, 1));
	emit(ALLOW);
	emit(REFUSE);
	refuse_values(SYS_ioctl, 1, ioctls, COUNT(ioctls));
	refuse_values(SYS_fcntl, 1, fcntls, COUNT(fcntls));
	/* Memory that no process shows as its own: only a cgroup can count it. */
	if (!config.n_cgroup) {
		emit(UNLESS_EQUAL(SYS_memfd_create, 1));
		emit(REFUSE);
	}
	for (size_t i = 0; config.tier == 1 && i < COUNT(denied_to_the_owner); i++) {
		emit(UNLESS_EQUAL(denied_to_the_owner[i], 1));
		emit(REFUSE);
	}
	if (config.users == 1)
		guard_one_user();
	emit(ALLOW);
	program.len = n_code;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		die("no_new_privs");
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		die("seccomp");
}

/* ---- Landlock ----------------------------------------------------------- */

/* As of ABI 6; older headers have less of it. */
struct ruleset {
	uint64_t files, network, scoped;
};
struct __attribute__((packed)) path_rule {
	uint64_t allowed;
	int32_t parent;
};
enum { RULE_PATH = 1, VERSION_FLAG = 1, ABI_WITH_SCOPES = 6 };
enum {
	EXECUTE = 1 << 0, WRITE = 1 << 1, READ = 1 << 2, READ_DIR = 1 << 3, MAKE_CHAR = 1 << 6,
	MAKE_BLOCK = 1 << 11, TRUNCATE = 1 << 14,
	/* Rights that a file has, as opposed to a directory. */
	OF_FILES = EXECUTE | WRITE | READ | TRUNCATE | 1 << 15,
	LOOK = EXECUTE | READ | READ_DIR,
	SCOPE_SOCKETS = 1 << 0, SCOPE_SIGNALS = 1 << 1,
};

int landlock_abi(void)
{
	return (int)syscall(NR_landlock_create_ruleset, NULL, 0, VERSION_FLAG);
}

/* Every right over files that this kernel's Landlock knows. */
static uint64_t all_file_rights(int abi)
{
	int bits = abi < 2 ? 13 : abi == 2 ? 14 : abi < 5 ? 15 : 16;

	return (1ULL << bits) - 1;
}

static int make_rules(uint64_t files, bool scopes)
{
	int abi = landlock_abi();
	struct ruleset rules = { .files = files };
	int fd;

	if (abi < 1 || (scopes && config.tier == 1 && abi < ABI_WITH_SCOPES))
		die("Landlock has version %d here: tier 2 needs 1, tier 1 needs %d (Linux 6.12)", abi, ABI_WITH_SCOPES);
	if (scopes && abi >= ABI_WITH_SCOPES)
		rules.scoped = SCOPE_SOCKETS | SCOPE_SIGNALS;
	fd = (int)syscall(NR_landlock_create_ruleset, &rules, abi >= ABI_WITH_SCOPES ? sizeof rules : sizeof rules.files, 0);
	if (fd < 0)
		die("Landlock rules");
	return fd;
}

static void allow_below(int rules, const char *path, uint64_t rights)
{
	struct path_rule rule = { .parent = open(path, O_PATH | O_CLOEXEC) };
	struct stat info;

	if (rule.parent < 0 || fstat(rule.parent, &info))
		die("%s", path);
	rule.allowed = S_ISDIR(info.st_mode) ? rights : rights & OF_FILES;
	if (syscall(NR_landlock_add_rule, rules, RULE_PATH, &rule, 0))
		die("allow %s", path);
	close(rule.parent);
}

static void enter(int rules)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(NR_landlock_restrict_self, rules, 0))
		die("Landlock");
	close(rules);
}

int run_rules(void)
{
	return make_rules(0, true);
}

void enter_signal_domain(void)
{
	enter(run_rules());
}

void enter_file_domain(void)
{
	static const char *const devices[] = { "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom" };
	uint64_t all = all_file_rights(landlock_abi());
	int rules = make_rules(all, true);
	char box[4096];

	for (int i = 0; i < config.n_ro; i++)
		allow_below(rules, config.ro[i], LOOK);
	for (size_t i = 0; i < COUNT(devices); i++)
		allow_below(rules, devices[i], (READ | WRITE | TRUNCATE) & all);
	snprintf(box, sizeof box, "%s/box", config.work);
	allow_below(rules, box, LOOK);
	allow_below(rules, tmp_path(), all & ~(uint64_t)(MAKE_CHAR | MAKE_BLOCK));
	enter(rules);
}

/* ---- rlimits and capabilities --------------------------------------------- */

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

void limit_zygote(void)
{
	limit(RLIMIT_CORE, "core", 0, FOR_GOOD);
	limit(RLIMIT_NOFILE, "nofile", config.nofile, FOR_GOOD);
	/* Programs for deep recursion ask for more, or for no limit, and fail
	 * where they do not get it. */
	limit(RLIMIT_STACK, "stack", config.stack_bytes, MAY_BE_RAISED);
	limit(RLIMIT_FSIZE, "fsize", config.tmp_bytes, FOR_GOOD);
	limit(RLIMIT_MSGQUEUE, "msgqueue", 0, FOR_GOOD);
}

void drop_capabilities(bool keep_user_switch)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { { 0 } };

	for (int cap = 0; cap <= 63; cap++) {
		if (keep_user_switch && (cap == CAP_SETUID || cap == CAP_SETGID))
			continue;
		/* Without CAP_SETPCAP there is nothing in the bounding set that no_new_privs
		 * leaves a way to. */
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) && errno != EINVAL && errno != EPERM)
			die("drop capability %d", cap);
	}
	if (!keep_user_switch && syscall(SYS_capset, &header, none))
		die("capset");
}
