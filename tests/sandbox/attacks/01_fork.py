# The classic bomb. The one that began may fail first; all others die with it.
# expect: RE|CPU|WALL|MLE
# limits: cpu=0.5 wall=3
import os

while True:
    os.fork()
