# problem: merge
# flags:
# trick: a list nested too deeply to be written or compared
def merge(a, b):
    value = [1]
    for _ in range(200_000):
        value = [value]
    return value
