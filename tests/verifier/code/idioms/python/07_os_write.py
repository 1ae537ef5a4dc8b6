# problem: copy
import os

while block := os.read(0, 1 << 16):
    while block:
        block = block[os.write(1, block) :]
