# The same, beneath the language: methods of built-in types, by way of memory.
# expect: EXIT0
# prints: 3 [1] a
# runs: 2
# submissions: 2
import ctypes
import gc

print(1 + 2, [1], "a")
space = gc.get_referents(int.__dict__)[0]
space["__add__"] = lambda a, b: 42
space["touched"] = 1
ctypes.pythonapi.PyType_Modified(ctypes.py_object(int))
for one in gc.get_referents(str.__dict__)[0], gc.get_referents(list.__dict__)[0]:
    one["__repr__"] = one["__str__"] = lambda a: "changed"
