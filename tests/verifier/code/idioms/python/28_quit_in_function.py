# problem: sum
def solve():
    if int(input()) == 0:
        print(0)
        quit()
    print(sum(int(word) for word in input().split()))


solve()
