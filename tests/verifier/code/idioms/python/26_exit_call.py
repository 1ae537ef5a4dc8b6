# problem: first
n = int(input())
if n < 0:
    print(n * n)
    exit()
print(n**2)
exit(0)
