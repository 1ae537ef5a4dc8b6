# The same for the code that encodes values and reports them.
# expect: RETURNED
# calls: f [1] [{"a": [1.5, null, true, "\u00e4"]}]
# returns: 1 {"a":[1.5,null,true,"\u00e4"]}
# submissions: 3
import json
import json.encoder
import marshal
import os
import sys

f = lambda x: x  # noqa: E731
for module in (json, json.encoder, marshal, sys.modules.get("_json"), sys.modules["__main__"]):
    for name in list(vars(module)) if module else ():
        if callable(getattr(module, name)) and name != "f" and not name.startswith("__"):
            setattr(module, name, lambda *a, **k: b"changed")
os.fork = os.pipe = os.wait4 = os.waitpid = None
