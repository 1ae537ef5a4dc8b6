# expect: EXIT0
# prints: contained
import os
import signal

pids = {1, 2, 3, 4, 5, os.getppid()} - {os.getpid(), 0}
for pid in sorted(pids):
    for number in (
        signal.SIGKILL,
        signal.SIGSTOP,
        signal.SIGTERM,
        signal.SIGSEGV,
        signal.SIGCONT,
        signal.SIGUSR1,
        0,
    ):
        for how, kill in (
            ("kill", os.kill),
            ("killpg", os.killpg),
            ("pidfd", lambda p, n: signal.pidfd_send_signal(os.pidfd_open(p), n)),
        ):
            if how == "killpg" and pid == 1:  # that is everybody
                continue
            try:
                kill(pid, number)
            except OSError:
                continue
            if number or how == "kill":
                print("reached:", how, pid, number)
print("contained")
