# expect: EXIT0
# prints: contained
# within: 3
import threading
import time


def burn():
    while True:
        pass


for work in (burn, lambda: time.sleep(60)):
    threading.Thread(target=work, daemon=True).start()
print("contained")
