# problem: reverse
# flags:
# trick: nearly the right bytes, in a task that asks for the very bytes
print(input()[::-1], end="\r\n")
