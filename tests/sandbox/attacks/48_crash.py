# expect: SIG11
# runs: 2
import ctypes

ctypes.string_at(0)
