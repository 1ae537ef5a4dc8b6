# Modules that the driver imports later come from the program.
# expect: RETURNED|RAISED
# calls: f [1] [2]
# never_prints: 424242
import sys
import types


class Finder:
    def find_spec(self, name, path=None, target=None):
        print("asked for", name, file=sys.stderr)
        return


class Fake(types.ModuleType):
    def __getattr__(self, name):
        return lambda *a, **k: "424242"


sys.meta_path.insert(0, Finder())
for name in ("json", "marshal", "struct", "traceback", "io", "_json"):
    sys.modules[name] = Fake(name)


def f(x):
    if x == 2:
        raise ValueError("described by the driver")
    return 9
