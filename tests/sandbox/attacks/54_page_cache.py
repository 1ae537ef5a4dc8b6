# Reads all there is, so that the host's cache holds it.
# expect: EXIT0|CPU|MLE|WALL
# prints: contained
# limits: cpu=1 wall=2 memory=96M
import os

for where, _, files in os.walk("/usr/lib"):
    for name in files:
        try:
            with open(os.path.join(where, name), "rb") as f:
                while f.read(1 << 20):
                    pass
        except OSError:
            pass
print("contained")
