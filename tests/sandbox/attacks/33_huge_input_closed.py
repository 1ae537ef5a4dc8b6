# expect: EXIT0
# prints: 7
# stdin_bytes: 8M
import os
import time

print(os.read(0, 1).decode())
os.close(0)
time.sleep(0.2)
