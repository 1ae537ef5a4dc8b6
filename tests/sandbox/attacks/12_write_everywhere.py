# Everything but /tmp is read-only, for making, changing, renaming, linking and removing.
# expect: EXIT0
# tiers: T3
# prints: contained
import os

roots = (
    "/",
    "/usr",
    "/usr/bin",
    "/usr/lib",
    "/etc",
    "/root",
    "/home",
    "/bin",
    "/lib",
    "/var",
    "/opt",
    "/dev",
    "/proc",
    "/proc/self",
    "/sys",
    "/box",
    "/tmp/..",
    "..",
    "../..",
    "/boot",
    "/srv",
    "/mnt",
    "/run",
    "/var/tmp",
    "/var/lib",
)
makes = {
    "open": lambda p: open(p, "w").close(),
    "mkdir": os.mkdir,
    "symlink": lambda p: os.symlink("x", p),
    "mkfifo": os.mkfifo,
    "mknod": lambda p: os.mknod(p, 0o100644),
    "rename": lambda p: os.rename("/tmp/mine", p),
    "link": lambda p: os.link("/tmp/mine", p),
}
for root in roots:
    if os.path.realpath(root) in ("/tmp",) or os.path.realpath(root).startswith("/tmp/"):
        continue
    for how, make in makes.items():
        open("/tmp/mine", "w").close()
        try:
            make(os.path.join(root, "new"))
            print("reached:", how, root)
        except OSError:
            pass
changes = {
    "chmod": lambda p: os.chmod(p, 0o777),
    "chown": lambda p: os.chown(p, os.getuid(), os.getgid()),
    "unlink": os.unlink,
    "rename": lambda p: os.rename(p, "/tmp/x"),
    "link": lambda p: os.link(p, "/tmp/l"),
    "append": lambda p: open(p, "a").close(),
    "truncate": lambda p: os.truncate(p, 0),
    "utime": os.utime,
    "setxattr": lambda p: os.setxattr(p, "user.x", b"x"),
}
for path in (
    "/bin/sh",
    "/usr/bin/env",
    "/etc/passwd",
    "/etc/shadow",
    "/etc/ld.so.cache",
    "/usr/lib",
    "/",
    "/proc/self/exe",
    "/proc/1/exe",
    os.__file__,
):
    for how, change in changes.items():
        try:
            change(path)
            print("reached:", how, path)
        except OSError:
            pass
print("contained")
