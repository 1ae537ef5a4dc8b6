# problem: guess
# flags:
# trick: closes both ends before the interactor speaks
import os

os.close(0)
os.close(1)
