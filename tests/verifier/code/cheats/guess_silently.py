# problem: guess
# flags:
# cpu: 0.2
# trick: says nothing until the interactor gives up
import sys

sys.stdin.read()
