# Objects that all interpreters forked from one share, destroyed.
# expect: RE|EXIT0
# never_prints: reached
# runs: 2
import ctypes

for one in (None, True, 0, 1, "", (), int, str, type, object):
    ctypes.c_ssize_t.from_address(id(one)).value = 1
    del one
ctypes.c_long.from_address(id(1) + 24).value = 2
print(1 + 1)
