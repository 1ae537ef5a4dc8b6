# expect: RETURNED
# differs: yes
# calls: f [] [] []
# submissions: 3
import random


def f():
    return random.random()
