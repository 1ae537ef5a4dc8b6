# A filter of its own that makes every exit impossible, or lies to the interpreter.
# expect: RE|WALL|CPU
# limits: cpu=0.5 wall=1
import ctypes
import struct

libc = ctypes.CDLL(None, use_errno=True)
instructions = [
    struct.pack("HBBI", 0x20, 0, 0, 0),
    struct.pack("HBBI", 0x15, 1, 0, 231),
    struct.pack("HBBI", 0x15, 0, 1, 60),
    struct.pack("HBBI", 0x06, 0, 0, 0x00050000),
    struct.pack("HBBI", 0x06, 0, 0, 0x7FFF0000),
]
code = ctypes.create_string_buffer(b"".join(instructions))


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


program = Program(len(instructions), ctypes.addressof(code))
libc.prctl(22, 2, ctypes.byref(program), 0, 0)
raise SystemExit(1)
