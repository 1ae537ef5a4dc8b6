# What is imported already is changed for all that comes later.
# expect: EXIT0
# prints: contained
# runs: 3
# submissions: 2
import builtins
import collections
import functools
import heapq
import io
import itertools
import json
import math
import os
import random
import re
import string
import sys
import threading
import time

modules = (
    builtins,
    collections,
    functools,
    heapq,
    io,
    itertools,
    json,
    math,
    os,
    random,
    re,
    string,
    sys,
    threading,
    time,
)
say = print
for module in modules:
    if hasattr(module, "touched"):
        say("reached:", module.__name__)
if (
    json.dumps([1]) != "[1]"
    or json.loads("[2]") != [2]
    or math.sqrt(4) != 2
    or re.match("a", "a") is None
):
    say("reached: functions")
if string.digits != "0123456789" or sorted([2, 1]) != [1, 2] or len("ab") != 2:
    say("reached: values")
if (
    sys.getrecursionlimit() != 1000
    or sys.getswitchinterval() != 0.005
    or threading.stack_size() != 0
):
    say("reached: settings")
if json.JSONEncoder().encode({"a": 1}) != '{"a": 1}' or collections.Counter("aa")["a"] != 2:
    say("reached: classes")
say("contained")
json.dumps = json.loads = math.sqrt = re.match = builtins.sorted = builtins.len = lambda *a, **k: 0
json.JSONEncoder.encode = collections.Counter.__getitem__ = lambda *a: "changed"
string.digits = "changed"
sys.setrecursionlimit(50_000)
sys.setswitchinterval(1)
threading.stack_size(1 << 20)
for module in modules:
    module.touched = True
for name in list(sys.modules):
    if name not in ("sys", "builtins", "__main__"):
        sys.modules[name] = None
builtins.__import__ = builtins.print = builtins.open = None
