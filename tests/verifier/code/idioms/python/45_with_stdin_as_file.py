# problem: copy
import shutil
import sys

with sys.stdin as source:
    shutil.copyfileobj(source.buffer, sys.stdout.buffer)
