# problem: yes_no
# flags:
# trick: yEs, in a task whose checker tells letters apart
n = int(input())
print("yes" if int(n**0.5) ** 2 == n else "no")
