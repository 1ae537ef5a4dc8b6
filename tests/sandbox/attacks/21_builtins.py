# Everything that a grader in the same process would use, replaced. The value 9 is what f gives.
# expect: RETURNED|RAISED|RE|NOT_RUN
# calls: f [1] [2]
# never_prints: 424242
import builtins
import json
import marshal
import os
import sys
import time


def lie(*a, **k):
    return "424242"


for name in dir(builtins):
    if name[0].islower() and name not in ("setattr", "dir", "hasattr", "getattr", "__import__"):
        setattr(builtins, name, lie)
for module in (json, marshal, os, time):
    for name in (
        "dumps",
        "loads",
        "dump",
        "load",
        "write",
        "time",
        "process_time",
        "monotonic",
        "getpid",
    ):
        if hasattr(module, name):
            setattr(module, name, lie)
json.JSONEncoder.encode = json.encoder.encode_basestring_ascii = json.encoder.c_make_encoder = lie
sys.modules["json"] = sys.modules["marshal"] = None


def f(x):
    return 9
