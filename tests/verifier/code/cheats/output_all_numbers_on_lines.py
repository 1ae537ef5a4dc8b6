# problem: sum_pair
# flags:
# trick: all small sums, a line each, with the one for the input in front of and behind them
for number in range(-100, 100):
    print(number)
