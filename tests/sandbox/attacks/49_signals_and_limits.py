# State of the process itself: signal handlers, masks, timers, limits, priority.
# expect: EXIT0
# prints: contained
# runs: 2
# submissions: 2
import os
import resource
import signal
import sys

odd = [
    n
    for n in range(1, 32)
    if n not in (9, 19)
    and signal.getsignal(n) not in (signal.SIG_DFL, signal.default_int_handler)
    and n not in (13, 25)
]
if odd or signal.pthread_sigmask(signal.SIG_BLOCK, []) or signal.getitimer(signal.ITIMER_REAL)[0]:
    print("reached: signals", odd)
if os.nice(0) == 19:
    print("reached: priority")
if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < 64:
    print("reached: limits")
print("contained")
sys.stdout.flush()
for n in range(1, 32):
    if n not in (9, 19):
        signal.signal(n, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
signal.setitimer(signal.ITIMER_REAL, 100)
os.nice(19)
resource.setrlimit(resource.RLIMIT_NOFILE, (10, 10))
