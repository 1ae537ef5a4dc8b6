# A pair of Unix sockets is allowed (asyncio needs one); it must not lead outside, and passing
# descriptors along it must not either.
# expect: EXIT0
# tiers: T3
# prints: contained
import array
import os
import socket

a, b = socket.socketpair()
for address in ("/tmp/server", "\0server", "/run/docker.sock", "/var/run/docker.sock", "/dev/log"):
    for call in (
        lambda p: a.connect(p),
        lambda p: a.bind(p),
        lambda p: a.sendto(b"x", p),
        lambda p: a.sendmsg([b"x"], [], 0, p),
    ):
        try:
            call(address)
            print("reached:", repr(address))
        except OSError as error:
            if error.errno not in (1, 106, 13, 22, 38):
                print("reached:", repr(address), error)
try:
    a.listen(1)
    print("reached: listen")
except OSError:
    pass
fds = [os.open(p, os.O_RDONLY) for p in ("/", "/tmp")]
a.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))])
_, ancillary, _, _ = b.recvmsg(1, socket.CMSG_SPACE(64))
for _, _, data in ancillary:
    for fd in array.array("i", data[: len(data) // 4 * 4]):
        for name in ("etc/shadow", "../../../etc/shadow"):
            try:
                os.open(name, os.O_RDONLY, dir_fd=fd)
                print("reached:", name)
            except OSError:
                pass
print("contained")
