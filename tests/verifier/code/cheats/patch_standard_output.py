# problem: yes_no
# flags:
# trick: standard output answers YES to whatever is written
import sys


class Yes:
    encoding, errors = "utf-8", "strict"

    def __init__(self, stream):
        self.stream = stream

    def write(self, text):
        return self.stream.write("YES\n" if text.strip() else "")

    def flush(self):
        self.stream.flush()


sys.stdout = Yes(sys.__stdout__)
print("?")
