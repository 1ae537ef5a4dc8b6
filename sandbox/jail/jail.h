/* What the parts of touchstone-jail share: see main.c for the whole. */
#ifndef TOUCHSTONE_JAIL_H
#define TOUCHSTONE_JAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { EXIT_SETUP = 120, EXIT_LOST = 121 };
/* The server's end is the jail's life line; the zygote has its socket to init there. */
enum { CONTROL_FD = 3 };
/* Of a zygote: the Landlock rules that a run adds to its own (users=1, tier 1). */
enum { RULES_FD = 4 };
/* What the zygote gets for a run: its standard streams and its link to init; a program may follow. */
enum { RUN_FDS = 4 };
enum { INSIDE_RUN_ID = 1000 };
enum { MAX_PATHS = 64 };

struct config {
	int tier;            /* 3: namespaces; 2: a user id of its own; 1: no privileges */
	int users;           /* 2: driver and runs have ids of their own; 1: all are the caller */
	bool raw;            /* ARGV talks to the server itself, as an untrusted program */
	pid_t parent;
	uid_t driver_uid, run_uid;
	unsigned long long tmp_bytes, box_bytes, stack_bytes, nofile;
	const char *ro[MAX_PATHS], *cgroup[MAX_PATHS];
	int n_ro, n_cgroup;
	const char *work;    /* tiers 1 and 2: a directory with box/ and tmp/ */
	const char *cpu;     /* the cgroup's file that tells its CPU time, or NULL */
	char **argv;         /* the zygote; empty: the spawner of spawn.c */
	/* Made at run time. */
	int join_fd[MAX_PATHS];
	int cpu_fd;
	int box_fd;
};
extern struct config config;

void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
void write_file(const char *path, const char *text);
/* The path of `name` below tmp/ or box/, wherever they are in this tier. */
const char *tmp_path(void);

/* root.c */
void build_root(void);
void fresh_tmp(void);
void clear_box(void);
void put_file(const char *name, const void *data, size_t size);

/* confine.c */
void filter_system_calls(void);
void limit_zygote(void);
void drop_capabilities(bool keep_user_switch);
int landlock_abi(void);
/* Restricts this process for good: to its signals alone, or to the files of a run as well. */
void enter_signal_domain(void);
void enter_file_domain(void);
/* A descriptor of rules that a run adds: nothing outside of it can be signalled or traced. */
int run_rules(void);

/* spawn.c */
void run_spawner(void) __attribute__((noreturn));

/* watch.c */
struct use {
	uint64_t cpu_us, memory_bytes;
};
/* Pages that several processes share count for each, in exact_memory() by parts. */
struct use use_so_far(pid_t zygote);
uint64_t exact_memory(pid_t zygote);

/* supervise.c */
void supervise(int launcher) __attribute__((noreturn));
void kill_everything(void);

#endif
