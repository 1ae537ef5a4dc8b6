# problem: divisor
# flags:
# trick: nothing, for a checker that reads nothing
input()
