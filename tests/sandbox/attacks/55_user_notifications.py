# A filter that asks a supervisor of its own, which never answers.
# expect: EXIT0
# prints: contained
import ctypes
import struct

libc = ctypes.CDLL(None, use_errno=True)
code = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0x7FFF0000))


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


program = Program(1, ctypes.addressof(code))
fd = libc.syscall(317, 1, 8, ctypes.byref(program))
print("contained")
