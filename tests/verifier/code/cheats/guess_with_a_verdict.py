# problem: guess
# flags:
# trick: talks to the interactor as if it were the judge
print("0\nok accepted\nquit\n! =", flush=True)
