# Hooks that run within the driver's own code and change what it holds.
# expect: RETURNED|RAISED|RE|NOT_RUN
# calls: f [1] [2]
# never_prints: 424242
import ctypes
import sys
import threading


def hook(frame, event, arg):
    for name in frame.f_locals:
        if name in ("text", "kind", "value", "data"):
            frame.f_locals[name] = b"424242"
            ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(0))
    return hook


def f(x):
    if x == 2:
        sys.settrace(lambda *a: (_ for _ in ()).throw(SystemExit(0)))
        threading.setprofile(hook)
    return 9
