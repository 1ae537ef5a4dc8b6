# problem: sorted
n, *numbers = map(int, open(0).read().split())
print(*sorted(numbers[:n]), sep=" ", end=" ")
