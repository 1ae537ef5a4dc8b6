/*
 * Init: starts the zygote, then takes commands from the server on fd 3, one at a time.
 *
 * PUT makes a file all that is in /box; OFFER empties it and takes a descriptor of a program instead,
 * which runs execute where it stands, however large it is; ADD puts a further file there. ASK passes its
 * body to the zygote and the zygote's answer back. RUN gives a run its pipes, feeds and drains them, and
 * ends at the run's end or at a limit; after a limit the server kills the jail. A RUN that brings two
 * descriptors has these for its standard input and output: another program is at their other ends.
 * Between runs /tmp is made fresh. What is kept of a run's output is bounded, and belongs to init, not to
 * the slot's cgroup.
 *
 * Invariants: one answer for each command; init never waits for a run, only polls; when the
 * zygote dies, by whatever hand, init ends with it.
 */
#include "jail.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 1 << 16, LARGE_PIPE = 1 << 20, NAME_BYTES = 64 };
/* Shortest time between two looks at a run's CPU time. */
enum { MIN_LOOK_US = 20000 };
/* Outputs are not looked at for this long at the start of a run, and after a look that found little:
 * a short run, or one that writes a line at a time, would wake init for every write. What is
 * written meanwhile waits in the pipe. */
enum { QUIET_US = 2000, LITTLE = 4096 };
/* What a zygote takes for a run at most, on a slow host. */
enum { FORK_US = 10000 };
/* The zygote's longest answer to ASK. */
enum { MAX_ANSWER = 4096 };

/* See launch.py and execution.py. */
struct command {
	uint32_t kind;
	uint32_t pad;
	uint64_t body, input; /* bytes that follow: to the zygote or /box; standard input */
	/* memory_bytes: 0 where a cgroup limits it. */
	uint64_t cpu_us, wall_us, memory_bytes, stdout_most, stderr_keep, stderr_most, results_most;
	char name[NAME_BYTES];
};
struct answer {
	uint32_t kind, why;
	int32_t status;
	uint32_t left; /* processes are left of it */
	uint64_t cpu_us, wall_us, peak_kib, stdout_total, stderr_total, stdout_kept, stderr_kept, results_kept;
};
enum { PUT = 'P', OFFER = 'O', ADD = 'D', ASK = 'A', RUN = 'R' };
/* What a command may bring: a program, or the two ends of pipes to another one. */
enum { MOST_FDS = 2 };
enum why { EXIT = 0, CPU = 1, WALL = 2, OUTPUT = 3, MEMORY = 4 };

struct source {
	int fd;
	const char *data;
	size_t left;
};
struct sink {
	int fd;
	char *data;
	size_t kept, room, keep;
	uint64_t total, most;
};
struct run {
	struct source input, body;
	struct sink out, err, results;
	uint64_t began_us, cpu_before_us;
};

static pid_t zygote;
static int zygote_fd = -1, signals_fd = -1, launcher_fd = -1, program_fd = -1;

/* ---- the zygote ----------------------------------------------------------- */

static void map_users(pid_t pid)
{
	char path[64], map[96];

	snprintf(map, sizeof map, "0 %u 1\n%d %u 1\n", config.driver_uid, INSIDE_RUN_ID, config.run_uid);
	snprintf(path, sizeof path, "/proc/%d/uid_map", pid);
	write_file(path, map);
	snprintf(path, sizeof path, "/proc/%d/gid_map", pid);
	write_file(path, map);
}

/* Of the user namespace with two ids; `go` brings a byte once init has mapped them. */
static void enter_user_namespace(int ready, int go)
{
	char byte = 'u';

	if (unshare(CLONE_NEWUSER))
		die("user namespace");
	if (write(ready, &byte, 1) != 1 || read(go, &byte, 1) != 1)
		_exit(EXIT_SETUP); /* init has said why */
	if (setgroups(0, NULL) || setresgid(0, 0, 0) || setresuid(0, 0, 0))
		die("become the driver's user");
}

static void set_standard_streams(void)
{
	int empty[2];

	if (config.raw) {
		if (dup2(CONTROL_FD, 0) < 0 || dup2(CONTROL_FD, 1) < 0)
			die("standard streams");
		return;
	}
	/* Pipes, as in every later run: what the interpreter finds out about
	 * its standard streams at its start stays true. */
	if (pipe(empty) || dup2(empty[0], 0) < 0 || dup2(2, 1) < 0)
		die("standard streams");
}

static void __attribute__((noreturn)) become_zygote(int own_end, int ready, int go)
{
	static char path[] = "PATH=/usr/bin:/bin", home[] = "HOME=/tmp", language[] = "LANG=C.UTF-8";
	/* All symbols are bound before the forks, not in each of them. */
	static char now[] = "LD_BIND_NOW=1";
	static char *environment[] = { path, home, language, now, NULL };
	uid_t id = config.tier == 3 ? INSIDE_RUN_ID : config.run_uid;
	sigset_t none;

	for (int i = 0; i < config.n_cgroup; i++)
		if (write(config.join_fd[i], "0", 1) != 1)
			die("join %s", config.cgroup[i]);
	/* Only now: what a process was in when its namespace was made is what it sees as the root. */
	if (config.tier == 3 && unshare(CLONE_NEWCGROUP))
		die("cgroup namespace");
	if (config.tier == 3 && config.users == 2)
		enter_user_namespace(ready, go);
	if (setsid() < 0)
		die("setsid");
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
		die("subreaper");
	set_standard_streams();
	if (!config.raw && dup2(own_end, CONTROL_FD) < 0)
		die("descriptors");
	if (config.tier == 1) {
		int rules = run_rules();
		if (rules != RULES_FD && dup2(rules, RULES_FD) < 0)
			die("descriptors");
		fcntl(RULES_FD, F_SETFD, 0);
	}
	if (config.tier < 3)
		enter_file_domain();
	syscall(SYS_close_range, config.raw ? 3 : config.tier == 1 ? RULES_FD + 1 : CONTROL_FD + 1, ~0U, 0);
	limit_zygote();
	if (config.raw && config.users == 2 && (setresgid(id, id, id) || setresuid(id, id, id)))
		die("change of user");
	drop_capabilities(!config.raw && config.users == 2);
	/* A server started in the background ignores SIGINT; its runs must not. */
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	filter_system_calls();
	if (!*config.argv)
		run_spawner();
	if (config.raw && chdir(tmp_path()))
		die("%s", tmp_path());
	execve(config.argv[0], config.argv, environment);
	die("exec %s", config.argv[0]);
}

static void start_zygote(void)
{
	int pair[2], ready[2], go[2];
	char byte;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) || pipe2(ready, O_CLOEXEC) ||
	    pipe2(go, O_CLOEXEC))
		die("pipes");
	zygote = fork();
	if (zygote < 0)
		die("fork");
	if (zygote == 0) {
		close(pair[0]);
		close(ready[0]);
		close(go[1]); /* must not keep its own read alive */
		become_zygote(pair[1], ready[1], go[0]);
	}
	close(ready[1]);
	close(go[0]);
	close(pair[1]);
	if (config.tier == 3 && config.users == 2 && read(ready[0], &byte, 1) == 1) {
		map_users(zygote);
		if (write(go[1], "g", 1) != 1)
			die("start the zygote");
	}
	close(ready[0]);
	close(go[1]);
	for (int i = 0; i < config.n_cgroup; i++)
		close(config.join_fd[i]);
	zygote_fd = pair[0];
}

static int exit_status(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void __attribute__((noreturn)) leave(int status)
{
	if (config.tier < 3)
		kill_everything();
	_exit(status);
}

/* The zygote hung up: it is dead or about to be. */
static void __attribute__((noreturn)) follow_zygote(void)
{
	int status;

	while (waitpid(zygote, &status, 0) < 0)
		if (errno != EINTR)
			leave(EXIT_LOST);
	leave(exit_status(status));
}

/* Reaps; ends with the zygote. */
static void on_child(void)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	if (read(signals_fd, &info, sizeof info) < 0)
		die("signalfd");
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == zygote)
			leave(exit_status(status));
}

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* ---- one run -------------------------------------------------------------- */

/* Another user may open it by name, as programs do with /dev/stdin. */
static void make_pipe(int ends[2])
{
	if (pipe2(ends, O_CLOEXEC) || fchmod(ends[0], 0666))
		die("pipe");
}

static void no_wait(int fd)
{
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)
		die("nonblocking");
}

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Writes what is taken; a program that never reads its input is no matter. */
static void feed(struct source *source, bool close_at_end)
{
	while (source->left > 0) {
		ssize_t count = write(source->fd, source->data, source->left);
		if (count < 0 && errno == EAGAIN)
			return;
		if (count < 0)
			break;
		source->data += count;
		source->left -= (size_t)count;
	}
	source->left = 0;
	if (close_at_end)
		shut(&source->fd);
}

/* Takes what is there, at most a chunk; false when there is nothing, or nothing more to come. */
static bool drain(struct sink *sink)
{
	static char chunk[CHUNK];
	ssize_t count = read(sink->fd, chunk, sizeof chunk);
	size_t taken;

	if (count < 0 && errno == EAGAIN)
		return false;
	if (count <= 0) {
		shut(&sink->fd);
		return false;
	}
	if (sink->total == 0 && count == CHUNK)
		fcntl(sink->fd, F_SETPIPE_SZ, LARGE_PIPE); /* may be refused */
	sink->total += (uint64_t)count;
	taken = sink->keep - sink->kept < (size_t)count ? sink->keep - sink->kept : (size_t)count;
	if (sink->kept + taken > sink->room) {
		sink->room = 2 * (sink->kept + taken);
		sink->data = realloc(sink->data, sink->room);
		if (!sink->data)
			die("memory for output");
	}
	memcpy(sink->data + sink->kept, chunk, taken);
	sink->kept += taken;
	return true;
}

static bool over(const struct sink *sink)
{
	return sink->total > sink->most;
}

static void send_run(const int fds[RUN_FDS + 1])
{
	char byte = 'r', space[CMSG_SPACE((RUN_FDS + 1) * sizeof(int))] = { 0 };
	size_t size = (RUN_FDS + (fds[RUN_FDS] >= 0)) * sizeof(int);
	struct iovec part = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = space, .msg_controllen = CMSG_SPACE(size) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(header), fds, size);
	if (sendmsg(zygote_fd, &message, MSG_NOSIGNAL) != 1)
		follow_zygote();
}

/* Takes over `streams`, where there are any. */
static void open_run(struct run *run, const struct command *command, const char *body, int streams[MOST_FDS])
{
	int in[2] = { streams[0], -1 }, out[2] = { -1, streams[1] }, err[2], link[2];

	if (streams[0] < 0) {
		make_pipe(in);
		make_pipe(out);
	}
	make_pipe(err);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, link))
		die("socketpair");
	send_run((const int[RUN_FDS + 1]){ in[0], out[1], err[1], link[1], program_fd });
	close(in[0]);
	close(out[1]);
	close(err[1]);
	close(link[1]);
	streams[0] = streams[1] = -1;
	if (in[1] >= 0) {
		no_wait(in[1]);
		no_wait(out[0]);
	}
	no_wait(err[0]);
	no_wait(link[0]);
	if (command->input > CHUNK)
		fcntl(in[1], F_SETPIPE_SZ, LARGE_PIPE);
	run->input = (struct source){ .fd = in[1], .data = body + command->body, .left = command->input };
	run->body = (struct source){ .fd = link[0], .data = body, .left = command->body };
	run->out = (struct sink){ .fd = out[0], .keep = command->stdout_most, .most = command->stdout_most };
	run->err = (struct sink){ .fd = err[0], .keep = command->stderr_keep, .most = command->stderr_most };
	run->results = (struct sink){ .fd = link[0], .keep = command->results_most, .most = command->results_most };
	feed(&run->body, false);
	if (in[1] >= 0)
		feed(&run->input, true);
}

static int64_t until_look_us(const struct run *run, const struct command *command, enum why *why)
{
	static long cores;
	int64_t wall_left = (int64_t)(run->began_us + command->wall_us - now_us());
	struct use use = use_so_far(zygote);
	int64_t cpu_left = (int64_t)(run->cpu_before_us + command->cpu_us - use.cpu_us), look;

	if (!cores)
		cores = sysconf(_SC_NPROCESSORS_ONLN);
	if (cpu_left < 0) {
		*why = CPU;
		return 0;
	}
	if (command->memory_bytes && use.memory_bytes > command->memory_bytes &&
	    exact_memory(zygote) > command->memory_bytes) {
		*why = MEMORY;
		return 0;
	}
	if (wall_left <= 0) {
		*why = WALL;
		return 0;
	}
	if (command->memory_bytes)
		return MIN_LOOK_US;
	look = cpu_left / cores < wall_left ? cpu_left / cores : wall_left;
	return look < MIN_LOOK_US ? MIN_LOOK_US : look;
}

/* Takes what the outputs have; false when that was little. */
static bool drain_ready(struct run *run, const struct pollfd fds[3])
{
	struct sink *sinks[] = { &run->out, &run->err, &run->results };
	uint64_t before = run->out.total + run->err.total + run->results.total;

	for (int i = 0; i < 3; i++)
		if (fds[i].revents & (POLLIN | POLLHUP | POLLERR))
			drain(sinks[i]);
	return run->out.total + run->err.total + run->results.total - before >= LITTLE;
}

/* Until the zygote tells of the run's end (EXIT) or a limit is passed. */
static enum why attend(struct run *run, const struct command *command)
{
	int64_t look_at = 0, quiet_until = (int64_t)run->began_us + QUIET_US;
	enum why why = EXIT;

	for (;;) {
		int64_t now = (int64_t)now_us(), wake_at;
		bool quiet = now < quiet_until;
		struct pollfd fds[] = {
			{ .fd = zygote_fd, .events = POLLIN },
			{ .fd = signals_fd, .events = POLLIN },
			{ .fd = launcher_fd, .events = POLLIN },
			{ .fd = run->input.left ? run->input.fd : -1, .events = POLLOUT },
			{ .fd = run->body.left ? run->body.fd : -1, .events = POLLOUT },
			{ .fd = quiet ? -1 : run->out.fd, .events = POLLIN },
			{ .fd = quiet ? -1 : run->err.fd, .events = POLLIN },
			{ .fd = quiet ? -1 : run->results.fd, .events = POLLIN },
		};

		if (now >= look_at) {
			int64_t wait = until_look_us(run, command, &why);
			if (wait == 0)
				return why;
			look_at = now + wait;
		}
		wake_at = quiet && quiet_until < look_at ? quiet_until : look_at;
		/* Rounded up: a poll that wakes too early would look, and sleep, twice. */
		if (poll(fds, sizeof fds / sizeof *fds, (int)((wake_at - now + 999) / 1000)) < 0 && errno != EINTR)
			die("poll");
		if (fds[2].revents)
			leave(EXIT_LOST);
		if (fds[1].revents)
			on_child();
		if (fds[3].revents)
			feed(&run->input, true);
		if (fds[4].revents)
			feed(&run->body, false);
		if (!quiet && !drain_ready(run, fds + 5))
			quiet_until = (int64_t)now_us() + QUIET_US;
		if (over(&run->out) || over(&run->err) || over(&run->results))
			return OUTPUT;
		if (fds[0].revents)
			return EXIT;
	}
}

static void send_all(struct iovec *parts, int count)
{
	while (count > 0) {
		ssize_t sent = writev(CONTROL_FD, parts, count);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			leave(EXIT_LOST); /* the server is gone */
		while (count > 0 && (size_t)sent >= parts->iov_len) {
			sent -= (ssize_t)parts->iov_len;
			parts++;
			count--;
		}
		if (count > 0) {
			parts->iov_base = (char *)parts->iov_base + sent;
			parts->iov_len -= (size_t)sent;
		}
	}
}

/* What the zygote says of the run's end. */
static void read_end(struct answer *answer)
{
	char text[96];
	ssize_t size = recv(zygote_fd, text, sizeof text - 1, 0);
	unsigned long long cpu, peak;

	if (size <= 0)
		follow_zygote();
	text[size] = 0;
	if (sscanf(text, "%d %llu %llu %u", &answer->status, &cpu, &peak, &answer->left) != 4) {
		errno = 0;
		die("the zygote said '%s'", text);
	}
	answer->cpu_us = cpu;
	answer->peak_kib = peak;
}

static void run_one(const struct command *command, const char *body, int streams[MOST_FDS])
{
	struct run run = { .began_us = now_us() };
	struct answer answer = { .kind = RUN };

	run.cpu_before_us = use_so_far(zygote).cpu_us;
	run.began_us = now_us();
	open_run(&run, command, body, streams);
	answer.why = attend(&run, command);
	if (answer.why == EXIT)
		read_end(&answer);
	/* The zygote knows nothing of what processes took that live on, or that nobody waited for. Its
	 * own share, the fork, is not the run's. */
	uint64_t total = use_so_far(zygote).cpu_us;
	if (answer.why != EXIT || answer.left || total > run.cpu_before_us + answer.cpu_us + FORK_US)
		answer.cpu_us = total - run.cpu_before_us;
	answer.wall_us = now_us() - run.began_us;
	for (struct sink *sinks[] = { &run.out, &run.err, &run.results }, **s = sinks; s < sinks + 3; s++)
		while ((*s)->fd >= 0 && !over(*s) && drain(*s))
			;
	if (answer.why == EXIT && (over(&run.out) || over(&run.err) || over(&run.results)))
		answer.why = OUTPUT;
	answer.stdout_total = run.out.total;
	answer.stderr_total = run.err.total;
	answer.stdout_kept = run.out.kept;
	answer.stderr_kept = run.err.kept;
	answer.results_kept = run.results.kept;
	shut(&run.input.fd);
	shut(&run.out.fd);
	shut(&run.err.fd);
	shut(&run.results.fd);
	send_all((struct iovec[]){ { &answer, sizeof answer },
				   { run.out.data, run.out.kept },
				   { run.err.data, run.err.kept },
				   { run.results.data, run.results.kept } },
		 4);
	free(run.out.data);
	free(run.err.data);
	free(run.results.data);
	/* While the server reads; after any other end it kills the jail. */
	if (answer.why == EXIT && !answer.left)
		fresh_tmp();
}

/* ---- commands --------------------------------------------------------------- */

static void read_exactly(void *into, size_t size)
{
	while (size > 0) {
		ssize_t count = read(CONTROL_FD, into, size);
		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			leave(EXIT_LOST); /* the server is gone */
		into = (char *)into + count;
		size -= (size_t)count;
	}
}

/* The head of a command, and the descriptors that come with it; -1 for those that do not. */
static void read_head(struct command *command, int fds[MOST_FDS])
{
	char space[CMSG_SPACE(MOST_FDS * sizeof(int))];
	struct iovec part = { .iov_base = command, .iov_len = sizeof *command };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space };
	ssize_t count = recvmsg(CONTROL_FD, &message, MSG_CMSG_CLOEXEC);
	struct cmsghdr *header;

	if (count <= 0)
		leave(EXIT_LOST); /* the server is gone */
	header = CMSG_FIRSTHDR(&message);
	fds[0] = fds[1] = -1;
	if (header && header->cmsg_len <= CMSG_LEN(MOST_FDS * sizeof(int)))
		memcpy(fds, CMSG_DATA(header), header->cmsg_len - CMSG_LEN(0));
	read_exactly((char *)command + count, sizeof *command - (size_t)count);
}

static void ask(const struct command *command, const char *body)
{
	char text[MAX_ANSWER];
	struct answer answer = { .kind = ASK };
	ssize_t size;

	if (send(zygote_fd, body, command->body, MSG_NOSIGNAL) < 0 || (size = recv(zygote_fd, text, sizeof text, 0)) <= 0)
		follow_zygote();
	answer.results_kept = (uint64_t)size;
	send_all((struct iovec[]){ { &answer, sizeof answer }, { text, (size_t)size } }, 2);
}

static void obey(void)
{
	struct command command;
	struct answer answer = { 0 };
	int fds[MOST_FDS];
	char *body;

	read_head(&command, fds);
	command.name[NAME_BYTES - 1] = 0;
	body = malloc(command.body + command.input + 1);
	if (!body)
		die("memory for a command of %llu bytes", (unsigned long long)(command.body + command.input));
	read_exactly(body, command.body + command.input);
	answer.kind = command.kind;
	if (command.kind == RUN)
		run_one(&command, body, fds);
	else if (command.kind == ASK)
		ask(&command, body);
	else {
		if (command.kind == PUT || command.kind == OFFER) {
			clear_box();
			shut(&program_fd);
			program_fd = fds[0];
		}
		if (command.kind == PUT || command.kind == ADD)
			put_file(command.name, body, command.body);
		send_all((struct iovec[]){ { &answer, sizeof answer } }, 1);
	}
	free(body);
}

void supervise(int launcher)
{
	struct pollfd gone = { .fd = launcher, .events = POLLIN };
	sigset_t child;

	launcher_fd = launcher;
	if (config.tier == 3 ? prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) : prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
		die("prctl");
	if (poll(&gone, 1, 0) != 0) /* the launcher died before the line above */
		_exit(EXIT_LOST);
	if (config.tier == 3 && sethostname("sandbox", 7))
		die("sethostname");
	build_root();
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	signals_fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals_fd < 0)
		die("signalfd");
	start_zygote();
	if (config.raw)
		close(CONTROL_FD);
	for (;;) {
		struct pollfd fds[] = { { .fd = signals_fd, .events = POLLIN },
					{ .fd = launcher, .events = POLLIN },
					{ .fd = config.raw ? -1 : CONTROL_FD, .events = POLLIN } };

		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			die("poll");
		if (fds[1].revents)
			leave(EXIT_LOST);
		if (fds[0].revents)
			on_child();
		if (fds[2].revents)
			obey();
	}
}
