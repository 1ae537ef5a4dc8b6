# problem: messy
import os

pieces = []
while True:
    piece = os.read(0, 65536)
    if not piece:
        break
    pieces.append(piece)
print(sum(int(word) for word in b"".join(pieces).split()))
