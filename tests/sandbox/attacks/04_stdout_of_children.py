# expect: OLE
# limits: output=100K
import os

for _ in range(5):
    os.fork()
while True:
    os.write(1, b"x" * 65_536)
