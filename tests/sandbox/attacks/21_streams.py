# expect: EXIT0
# prints: right
import builtins
import sys


class Stream:
    def write(self, text):
        return len(text)

    def flush(self):
        raise SystemExit(7)


sys.stdout.write("right\n")
sys.stdout.flush()
builtins.print = lambda *a: None
sys.stdout = Stream()
try:
    sys.stdout.flush()
except SystemExit:
    sys.stdout = sys.__stdout__
