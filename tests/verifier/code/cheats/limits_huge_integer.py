# problem: collatz
# flags:
# trick: an integer whose digits take long to write, and longer to read
def collatz(n):
    return 10**200_000
