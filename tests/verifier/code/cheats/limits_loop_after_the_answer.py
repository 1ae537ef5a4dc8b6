# problem: sum_pair
# flags:
# cpu: 0.2
# trick: prints the right answer and never ends
a, b = map(int, input().split())
print(a + b, flush=True)
while True:
    pass
