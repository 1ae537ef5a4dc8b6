# expect: EXIT0
# prints: contained
# runs: 2
import os
import select

held = []
try:
    while len(held) < 50_000:
        held.append(select.epoll())
        fd = os.eventfd(0) if hasattr(os, "eventfd") else 0
        held.append(fd)
        for other in held[-400::2]:
            try:
                held[-2].register(other, 1)
            except OSError:
                pass
except OSError:
    pass
print("contained" if len(held) < 50_000 else "reached", flush=True)
os._exit(0)
