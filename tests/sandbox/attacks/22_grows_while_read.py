# expect: RAISED|OLE|MLE|CPU|RETURNED
# calls: f [0]
# limits: cpu=1 output=100K memory=128M
import threading


def f(x):
    a = [0]

    def grow():
        while True:
            a.append(0)

    threading.Thread(target=grow, daemon=True).start()
    return a
