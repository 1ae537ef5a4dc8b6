# Memory, descriptors and files of whoever started this, through /proc.
# expect: EXIT0
# prints: contained
import os

pids = {1, 2, 3, 4, 5, os.getppid()} - {os.getpid(), 0}
for pid in sorted(pids):
    for name in (
        "mem",
        "maps",
        "environ",
        "syscall",
        "stack",
        "auxv",
        "pagemap",
        "io",
        "map_files",
        "fd",
        "fdinfo",
        "cwd",
        "root",
        "exe",
        "task",
        "clear_refs",
        "coredump_filter",
        "oom_score_adj",
        "comm",
        "timerslack_ns",
        "ns/pid",
        "uid_map",
        "attr/current",
    ):
        path = f"/proc/{pid}/{name}"
        for flags in (os.O_RDONLY, os.O_WRONLY):
            try:
                fd = os.open(path, flags | os.O_NONBLOCK)
            except OSError:
                continue
            try:
                if flags == os.O_WRONLY:
                    os.write(fd, b"0")
                    print("reached: wrote", path)
                elif name in ("fd", "map_files", "fdinfo"):
                    print("reached:", path, os.listdir(fd))
                elif name in ("cwd", "root"):
                    print("reached:", path)
                elif name in (
                    "mem",
                    "maps",
                    "environ",
                    "auxv",
                    "pagemap",
                    "syscall",
                    "stack",
                    "io",
                ):
                    if os.read(fd, 1):
                        print("reached:", path)
            except OSError:
                pass
            os.close(fd)
print("contained")
