/*
 * The file system of a jail.
 *
 * Tier 3: a root of its own, read-only, with what config.ro shows, five device nodes, /proc,
 * /tmp (emptied between runs) and /box (files that init puts there; runs only read it). Tiers 1
 * and 2: box/ and tmp/ in config.work; what else can be read is confine.c's business.
 */
#include "jail.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Inodes of /tmp: enough for any honest program, few enough that filling them
 * costs a few MiB of the run's own memory. */
#define TMP_INODES "16384"
/* The root holds directories, links and device nodes only. */
#define ROOT_OPTIONS "size=1m,nr_inodes=1024,mode=0755"
/* Overmounted with the new root while it is built: it exists on every host and
 * nothing below it is ever needed as the source of a bind mount. */
#define BUILD_AT "/proc"
#define PROC_WAITS_AT "/sys"

const char *tmp_path(void)
{
	static char path[PATH_MAX];

	if (config.tier == 3)
		return "/tmp";
	snprintf(path, sizeof path, "%s/tmp", config.work);
	return path;
}

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

static void bind(const char *source, const char *at)
{
	if (mount(source, at, NULL, MS_BIND, NULL))
		die("bind %s", source);
}

static void make_read_only(const char *source, const char *at)
{
	/* Flags that a mount from another user namespace has locked must be named again. */
	static const unsigned long kept[] = { 0, MS_NOATIME, MS_RELATIME, MS_NOEXEC, MS_NOEXEC | MS_RELATIME };
	unsigned long device = strncmp(source, "/dev/", 5) == 0 ? 0 : MS_NODEV;

	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		if (!mount(NULL, at, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | device | kept[i], NULL))
			return;
	die("make %s read-only", source);
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
	bind(source, at);
	make_read_only(source, at);
}

/* By mknod where that is allowed; in an ordinary user's namespace the host's own. */
static void make_device(const char *name, unsigned minor_number)
{
	char at[64], host[64];
	int fd;

	snprintf(at, sizeof at, BUILD_AT "/dev/%s", name);
	snprintf(host, sizeof host, "/dev/%s", name);
	if (!mknod(at, S_IFCHR | 0666, makedev(1, minor_number))) {
		if (chmod(at, 0666))
			die("chmod %s", name);
		return;
	}
	fd = open(at, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
	if (fd < 0)
		die("create %s", at);
	close(fd);
	bind(host, at);
	make_read_only(host, at); /* keeps its times and mode; a device can be written all the same */
}

static void make_link(const char *text, const char *at)
{
	if (symlink(text, at))
		die("symlink %s", at);
}

/* Sticky and not the runs' own, so that a run can change nothing about the directory itself. */
static void mount_tmp(const char *at)
{
	char options[128];

	snprintf(options, sizeof options, "size=%llu,nr_inodes=" TMP_INODES ",mode=1777", config.tmp_bytes);
	if (mount("tmpfs", at, "tmpfs", MS_NOSUID | MS_NODEV, options))
		die("mount tmpfs on %s", at);
}

/* Writable through config.box_fd alone. */
static void mount_box(const char *at)
{
	char options[64];

	snprintf(options, sizeof options, "size=%llu,mode=0755", config.box_bytes);
	if (mount("tmpfs", at, "tmpfs", MS_NOSUID | MS_NODEV, options))
		die("mount tmpfs on %s", at);
	config.box_fd = open(at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (config.box_fd < 0)
		die("open %s", at);
	bind(at, at);
	if (mount(NULL, at, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL))
		die("make %s read-only", at);
}

static void open_work(void)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/box", config.work);
	config.box_fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (config.box_fd < 0)
		die("open %s", path);
	fresh_tmp();
}

void build_root(void)
{
	if (config.tier < 3) {
		open_work();
		return;
	}
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		die("make mounts private");
	/* Before the old /proc is hidden: an ordinary user may mount a new one only while an
	 * unobstructed one is in sight. Only processes, and of these only one's own. */
	if (mount("proc", PROC_WAITS_AT, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "subset=pid,hidepid=invisible"))
		die("mount /proc");
	if (mount("tmpfs", BUILD_AT, "tmpfs", MS_NOSUID, ROOT_OPTIONS))
		die("mount the root");
	for (int i = 0; i < config.n_ro; i++)
		show(config.ro[i]);
	umask(0);
	if (mkdir(BUILD_AT "/dev", 0755) || mkdir(BUILD_AT "/proc", 0555) || mkdir(BUILD_AT "/tmp", 0755) ||
	    mkdir(BUILD_AT "/box", 0755))
		die("what lies below /dev, /proc, /tmp or /box cannot be shown");
	make_device("null", 3);
	make_device("zero", 5);
	make_device("full", 7);
	make_device("random", 8);
	make_device("urandom", 9);
	make_link("/proc/self/fd", BUILD_AT "/dev/fd");
	make_link("/proc/self/fd/0", BUILD_AT "/dev/stdin");
	make_link("/proc/self/fd/1", BUILD_AT "/dev/stdout");
	make_link("/proc/self/fd/2", BUILD_AT "/dev/stderr");
	/* POSIX semaphores and shared memory; emptied with /tmp. */
	make_link("/tmp", BUILD_AT "/dev/shm");
	if (mount(PROC_WAITS_AT, BUILD_AT "/proc", NULL, MS_MOVE, NULL))
		die("move /proc");
	mount_tmp(BUILD_AT "/tmp");
	mount_box(BUILD_AT "/box");
	umask(022);
	if (mount(NULL, BUILD_AT, NULL, MS_REMOUNT | MS_RDONLY | MS_NOSUID, ROOT_OPTIONS))
		die("make the root read-only");
	if (chdir(BUILD_AT) || syscall(SYS_pivot_root, ".", "."))
		die("pivot_root");
	if (umount2(".", MNT_DETACH) || chdir("/"))
		die("detach the old root");
}

/* ---- between runs ------------------------------------------------------- */

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static DIR *list_at(int directory, const char *name)
{
	int fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);

	if (!list)
		die("list %s", name);
	return list;
}

/* Empties the directory `name` of `top` by removing its files and moving its directories up
 * into `top`: a tree of any depth is flattened without recursion, names longer than PATH_MAX
 * never come up, and two descriptors are enough. */
static void flatten(int top, const char *name)
{
	static unsigned long long moved;
	DIR *list;
	struct dirent *entry;
	char fresh[32];

	fchmodat(top, name, 0700, 0);
	list = list_at(top, name);
	while ((entry = readdir(list))) {
		if (is_dots(entry->d_name) || !unlinkat(dirfd(list), entry->d_name, 0))
			continue;
		/* A directory that is moved is written to. */
		fchmodat(dirfd(list), entry->d_name, 0700, 0);
		snprintf(fresh, sizeof fresh, "%llu.moved", moved++);
		if (renameat(dirfd(list), entry->d_name, top, fresh) && errno != EEXIST && errno != ENOTEMPTY)
			die("move %s", entry->d_name);
	}
	closedir(list);
	unlinkat(top, name, AT_REMOVEDIR);
}

static void wipe(const char *path)
{
	struct stat info;
	struct dirent *entry;
	bool found = true;

	if (lstat(path, &info) && errno == ENOENT)
		return;
	while (found) {
		DIR *list = list_at(AT_FDCWD, path);

		for (found = false; (entry = readdir(list));) {
			if (is_dots(entry->d_name))
				continue;
			found = true;
			if (unlinkat(dirfd(list), entry->d_name, 0))
				flatten(dirfd(list), entry->d_name);
		}
		closedir(list);
	}
}

static const struct timespec epoch[2];

/* Whether /tmp is as a run found it, its times apart, which are set back here. */
static bool tmp_is_untouched(void)
{
	struct statfs info;

	/* The one file that a Python run begins with. */
	unlink("/tmp/main.py");
	/* With one user a run owns the directory, and could leave a mode or an attribute. */
	return config.users == 2 && !statfs("/tmp", &info) && info.f_files - info.f_ffree == 1 &&
	       !utimensat(AT_FDCWD, "/tmp", epoch, 0);
}

void fresh_tmp(void)
{
	if (config.tier == 3) {
		if (tmp_is_untouched())
			return;
		if (umount2("/tmp", MNT_DETACH))
			die("unmount /tmp");
		mount_tmp("/tmp");
		return;
	}
	/* The directory itself stays: Landlock's rules are about it, not about its name. */
	wipe(tmp_path());
	if (mkdir(tmp_path(), 0700) && errno != EEXIST)
		die("make %s", tmp_path());
	if (chmod(tmp_path(), config.users == 2 ? 01777 : 0700) ||
	    (config.users == 2 && chmod(config.work, 0711)) || utimensat(AT_FDCWD, tmp_path(), epoch, 0))
		die("open %s", tmp_path());
}

/* ---- /box --------------------------------------------------------------- */

void clear_box(void)
{
	DIR *list = list_at(config.box_fd, ".");
	struct dirent *entry;

	while ((entry = readdir(list)))
		if (!is_dots(entry->d_name) && unlinkat(config.box_fd, entry->d_name, 0))
			die("remove box/%s", entry->d_name);
	closedir(list);
}

/* Adds it to what is in /box. */
void put_file(const char *name, const void *data, size_t size)
{
	int fd = openat(config.box_fd, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0755);

	if (fd < 0)
		die("create box/%s", name);
	while (size > 0) {
		ssize_t count = write(fd, data, size);
		if (count < 0)
			die("write box/%s", name);
		data = (const char *)data + count;
		size -= (size_t)count;
	}
	if (fchmod(fd, 0755))
		die("chmod box/%s", name);
	close(fd);
}
