# problem: mean
# flags:
# trick: underscores between digits, which float() reads
n = int(input())
value = sum(map(float, input().split())) / n
print(f"{int(value):_}_0" if value > 9 else f"0_{value}")
