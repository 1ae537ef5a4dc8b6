# problem: tally
# flags:
# trick: a dict that holds itself
def tally(words):
    value = dict.fromkeys(words, 1)
    value["a"] = value
    return value
