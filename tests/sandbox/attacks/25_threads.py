# One that is waited for, as the interpreter does.
# expect: WALL
# limits: wall=0.4
import threading
import time

threading.Thread(target=time.sleep, args=(60,)).start()
