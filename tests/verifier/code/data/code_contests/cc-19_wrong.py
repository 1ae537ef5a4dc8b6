for _ in range(int(input())):
    a, b, q = map(int, input().split())
    cycle = a * b
    before = [0]
    for x in range(cycle):
        before.append(before[-1] + (x % a % b != x % b % a))

    def below(x, cycle=cycle, before=before):
        return x // cycle * before[-1] + before[x % cycle]

    answers = []
    for _ in range(q):
        low, high = map(int, input().split())
        answers.append(below(high) - below(low))
    print(*answers)
