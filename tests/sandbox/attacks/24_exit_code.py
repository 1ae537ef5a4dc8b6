# The exit code is the one of the interpreter's own end.
# expect: EXIT5
# snippets: x = 1
# completed: yes
import atexit
import os

atexit.register(os._exit, 5)
