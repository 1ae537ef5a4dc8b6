# problem: pairs
print(*(max(map(int, input().split())) for _ in range(int(input()))), sep="\n")
