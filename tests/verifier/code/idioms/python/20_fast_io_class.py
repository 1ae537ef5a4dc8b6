# problem: huge
import os
import sys
from io import BytesIO, IOBase


class FastIO(IOBase):
    newlines = 0

    def __init__(self, file):
        self._fd = file.fileno()
        self.buffer = BytesIO()
        self.writable = "x" in file.mode or "r" not in file.mode
        self.write = self.buffer.write if self.writable else None

    def readline(self):
        while self.newlines == 0:
            block = os.read(self._fd, 1 << 20)
            self.newlines = block.count(b"\n") + (not block)
            place = self.buffer.tell()
            self.buffer.seek(0, 2)
            self.buffer.write(block)
            self.buffer.seek(place)
        self.newlines -= 1
        return self.buffer.readline()

    def flush(self):
        if self.writable:
            view = self.buffer.getvalue()
            while view:
                view = view[os.write(self._fd, view) :]
            self.buffer.truncate(0)
            self.buffer.seek(0)


class Wrapper(IOBase):
    def __init__(self, file):
        self.buffer = FastIO(file)
        self.flush = self.buffer.flush
        self.writable = self.buffer.writable
        self.write = lambda text: self.buffer.write(text.encode("ascii"))
        self.readline = lambda: self.buffer.readline().decode("ascii")


sys.stdin, sys.stdout = Wrapper(sys.stdin), Wrapper(sys.stdout)
input = lambda: sys.stdin.readline().rstrip("\r\n")
for _ in range(int(input())):
    sys.stdout.write(str(2 * int(input())) + "\n")
