# problem: collatz
# flags:
# cpu: 1
# trick: an integer whose digits take long to write, and longer to read
def collatz(n):
    return 10**50_000
