/*
 * What the processes of a run have used so far: the cgroup's CPU time where there is one (memory
 * is its own business then), else what /proc tells of the processes, as far as they live or were
 * waited for by one that does.
 */
#include "jail.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t group_cpu_us(void)
{
	static const char v2[] = "usage_usec ";
	char text[512];
	ssize_t size = pread(config.cpu_fd, text, sizeof text - 1, 0);

	if (size <= 0)
		die("read the group's CPU time");
	text[size] = 0;
	if (strncmp(text, v2, sizeof v2 - 1) == 0)
		return strtoull(text + sizeof v2 - 1, NULL, 10);
	return strtoull(text, NULL, 10) / 1000;
}

static bool read_text(const char *name, pid_t pid, char *text, size_t size)
{
	char path[64];
	ssize_t count;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false; /* gone meanwhile */
	count = read(fd, text, size - 1);
	close(fd);
	text[count > 0 ? count : 0] = 0;
	return count > 0;
}

/* The sum, in bytes, of the lines of a file of /proc that begin with one of two names. */
static uint64_t sum_lines(const char *text, const char *one, const char *other)
{
	const char *names[] = { one, other }, *at;
	uint64_t sum = 0;

	for (int i = 0; i < 2; i++)
		if ((at = strstr(text, names[i])))
			sum += strtoull(at + strlen(names[i]), NULL, 10) * 1024;
	return sum;
}

static void add_process(struct use *use, bool exact, pid_t pid)
{
	unsigned long long user, system, children_user, children_system;
	char text[4096], *at;

	if (read_text("stat", pid, text, sizeof text) && (at = strrchr(text, ')')) &&
	    sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %llu %llu", &user, &system,
		   &children_user, &children_system) == 4)
		use->cpu_us += (user + system + children_user + children_system) * 1000000 /
			       (uint64_t)sysconf(_SC_CLK_TCK);
	/* What is shared counts by parts where that can be told; it takes longer to find out. */
	if (exact && read_text("smaps_rollup", pid, text, sizeof text))
		use->memory_bytes += sum_lines(text, "\nPss_Anon:", "\nPss_Shmem:");
	else if (read_text("status", pid, text, sizeof text))
		use->memory_bytes += sum_lines(text, "\nRssAnon:", "\nRssShmem:");
}

static void add_children(struct use *use, bool exact, pid_t pid)
{
	char path[64];
	FILE *file;
	int child;

	snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
	file = fopen(path, "re");
	while (file && fscanf(file, "%d", &child) == 1) {
		add_process(use, exact, child);
		add_children(use, exact, child);
	}
	if (file)
		fclose(file);
}

static struct use watch_processes(pid_t zygote, bool exact)
{
	struct use use = { 0 };
	struct dirent *entry;
	DIR *proc;

	if (config.tier < 3) {
		add_children(&use, exact, zygote);
		return use;
	}
	/* All there are but init and the zygote, orphans too. */
	proc = opendir("/proc");
	while (proc && (entry = readdir(proc))) {
		int pid = atoi(entry->d_name);
		if (pid > 1 && pid != zygote)
			add_process(&use, exact, pid);
	}
	if (proc)
		closedir(proc);
	return use;
}

struct use use_so_far(pid_t zygote)
{
	if (config.cpu_fd >= 0)
		return (struct use){ .cpu_us = group_cpu_us() };
	return watch_processes(zygote, false);
}

uint64_t exact_memory(pid_t zygote)
{
	return watch_processes(zygote, true).memory_bytes;
}
