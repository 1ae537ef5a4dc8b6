# problem: messy
import sys

read = sys.stdin.buffer.read
total, value, sign, inside = 0, 0, 1, False
while byte := read(1):
    if byte.isdigit():
        value, inside = 10 * value + byte[0] - 48, True
    elif byte == b"-":
        sign = -1
    else:
        if inside:
            total += sign * value
        value, sign, inside = 0, 1, False
print(total + sign * value)
