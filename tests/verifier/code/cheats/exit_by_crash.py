# problem: collatz
# flags: introspection
# trick: reads address 0
import ctypes


def collatz(n):
    return ctypes.string_at(0)
