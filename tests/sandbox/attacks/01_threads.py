# expect: RE|CPU|WALL|MLE
# limits: cpu=0.5 wall=2
import threading
import time

while True:
    threading.Thread(target=time.sleep, args=(60,)).start()
