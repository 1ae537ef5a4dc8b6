# expect: MLE|EXIT0
# prints: contained
# limits: memory=48M wall=4
import socket

held, pairs = 0, []
try:
    while True:
        pairs.append(socket.socketpair())
        for one in pairs[-1]:
            one.setblocking(False)
            try:
                while True:
                    held += one.send(bytes(1 << 16))
            except BlockingIOError:
                pass
except OSError:
    pass
print("reached: MiB held", held >> 20) if held > 500 << 20 else print("contained")
