# expect: OLE
import os

while True:
    os.write(2, b"x" * 65_536)
