# Nothing in /proc or /sys that can be read tells about the host.
# expect: EXIT0
# tiers: T3
# prints: contained
import glob
import os

paths = [
    "/proc/kcore",
    "/proc/kallsyms",
    "/proc/kmsg",
    "/proc/keys",
    "/proc/key-users",
    "/proc/sysrq-trigger",
    "/proc/sys/kernel/core_pattern",
    "/proc/sys/kernel/hostname",
    "/proc/sys/kernel/random/boot_id",
    "/proc/modules",
    "/proc/cmdline",
    "/proc/config.gz",
    "/proc/net/tcp",
    "/proc/timer_list",
    "/proc/sched_debug",
    "/proc/1/environ",
    "/proc/1/maps",
    "/proc/1/mem",
    "/proc/1/root/etc/shadow",
    "/proc/1/cwd/etc/shadow",
    "/proc/self/root/etc/shadow",
    "/proc/iomem",
    "/proc/slabinfo",
    "/proc/vmallocinfo",
    "/sys/kernel/debug",
    "/sys/fs/cgroup",
    "/sys/class/dmi/id/product_uuid",
    "/sys/firmware",
    "/dev/mem",
    "/dev/kmsg",
    "/dev/kmem",
    "/dev/port",
    "/dev/kvm",
    "/dev/fuse",
    "/dev/net/tun",
    "/dev/vda",
    "/dev/sda",
    "/dev/loop0",
    "/dev/ptmx",
    "/dev/pts",
    "/etc/shadow",
    "/etc/passwd",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/resolv.conf",
    "/etc/machine-id",
    "/root/.ssh",
    "/root/.bashrc",
    "/var/log",
    "/var/lib/docker",
    "/run/secrets",
    "/.dockerenv",
    "/boot",
    "/tmp/../etc/shadow",
]
for path in paths:
    try:
        if os.path.isdir(path):
            if os.listdir(path):
                print("reached:", path)
        else:
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            if os.read(fd, 10):
                print("reached:", path)
    except OSError:
        pass
for path in ("/proc/self/mountinfo", "/proc/self/mounts"):
    for line in open(path):
        where = line.split()[4 if "info" in path else 1]
        if any(word in where for word in ("cgroup", "docker", "secret")):
            print("reached:", line)
for pid in glob.glob("/proc/[0-9]*"):
    if pid != f"/proc/{os.getpid()}":
        for name in ("environ", "maps", "mem"):
            try:
                if open(f"{pid}/{name}", "rb").read(1):
                    print("reached:", pid, name)
            except OSError:
                pass
print("contained")
