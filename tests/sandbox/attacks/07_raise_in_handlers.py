# Catches everything that can be raised, for ever.
# expect: CPU
# limits: cpu=0.4 wall=3
import signal


def handler(number, frame):
    raise KeyboardInterrupt


for n in (signal.SIGXCPU, signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
    signal.signal(n, handler)
while True:
    try:
        while True:
            pass
    except BaseException:
        pass
