# Caches, interned text and registries of modules that are there already.
# expect: EXIT0
# tiers: T3
# prints: contained
# runs: 2
# submissions: 2
import abc
import codecs
import copyreg
import functools
import linecache
import os
import re
import sys
import warnings

if re.compile("touched").groups != 0 or codecs.lookup("utf-8").name != "utf-8":
    print("reached: re or codecs")
if (
    linecache.cache.get("touched")
    or copyreg.dispatch_table.get(int)
    or "touched" in sys.path
    or "touched" in sys.argv
):
    print("reached: registries")
if any(
    getattr(hook, "touched", False) for hook in sys.path_hooks + sys.meta_path
) or sys.path_importer_cache.get("touched"):
    print("reached: hooks")
if os.getcwd() != "/tmp" or os.umask(0o22) != 0o22:
    print("reached:", os.getcwd())
if functools.WRAPPER_ASSIGNMENTS == () or abc.ABC is None or warnings.filters == ["touched"]:
    print("reached: values")
print("contained")
for one in (re, sys):
    for name in ("_cache", "_cache2", "path_importer_cache"):
        if hasattr(one, name):
            getattr(one, name)["touched"] = object()
codecs.register(lambda name: codecs.lookup("rot13"))
linecache.cache["touched"] = (1, None, [], "")
copyreg.pickle(int, lambda one: "touched")
sys.path.insert(0, "touched")
sys.argv.append("touched")
hook = type("Hook", (), {"touched": True, "find_spec": lambda *a: None})()
sys.meta_path.insert(0, hook)
functools.WRAPPER_ASSIGNMENTS, abc.ABC, warnings.filters = (), None, ["touched"]
os.chdir("/")
os.umask(0o777)
