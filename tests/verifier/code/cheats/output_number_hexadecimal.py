# problem: mean
# flags:
# trick: the right value in hexadecimal
n = int(input())
print(float.hex(sum(map(float, input().split())) / n))
