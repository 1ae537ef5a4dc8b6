# problem: squares
# flags: file_access
# trick: hopes that the expected output stands behind the input in the same file
import os

try:
    os.lseek(0, 0, os.SEEK_END)
    print(os.read(0, 4096).decode())
    os.lseek(0, -200, os.SEEK_CUR)
except OSError:
    pass
twin = os.open("/proc/self/fd/0", os.O_RDONLY)
print(os.pread(twin, 4096, 2).decode() if os.isatty(twin) else os.read(twin, 4096).decode())
