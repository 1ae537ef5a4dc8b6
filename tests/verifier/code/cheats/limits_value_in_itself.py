# problem: merge
# flags:
# trick: a list that holds itself
def merge(a, b):
    value = a + b
    value.append(value)
    return value
