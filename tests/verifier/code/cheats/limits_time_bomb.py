# problem: sum_pair
# flags: ?
# cpu: 0.2
# trick: sleeps until whoever waits gives up, then answers
import time

time.sleep(6)
a, b = map(int, input().split())
print(a + b)
