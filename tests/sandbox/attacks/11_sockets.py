# Every family and type that Python knows, and the addresses one would try.
# expect: EXIT0
# prints: contained
import socket

families = {name: getattr(socket, name) for name in dir(socket) if name.startswith("AF_")}
kinds = {
    name: getattr(socket, name)
    for name in dir(socket)
    if name.startswith("SOCK_") and getattr(socket, name) < 16
}
for family, f in families.items():
    for kind, k in kinds.items():
        try:
            one = socket.socket(f, k)
        except OSError:
            continue
        print("reached:", family, kind)
        one.close()
for address in (
    ("1.1.1.1", 80),
    ("127.0.0.1", 22),
    ("127.0.0.1", 50051),
    ("169.254.169.254", 80),
    ("::1", 80),
):
    try:
        socket.create_connection(address, timeout=0.2).close()
        print("reached:", address)
    except OSError:
        pass
try:
    print("reached:", socket.getaddrinfo("localhost", 80))
except OSError:
    pass
print("contained")
