# expect: WALL
# limits: wall=0.4
import os
import signal

pid = os.fork()
if pid == 0:
    os.kill(os.getpid(), signal.SIGSTOP)
os.wait()
