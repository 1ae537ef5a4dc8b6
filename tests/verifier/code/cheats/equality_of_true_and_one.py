# problem: is_square
# flags:
# trick: 1 for True and 0 for False, by their type no answer to a question
def is_square(n):
    return int(round(n**0.5) ** 2 == n)
