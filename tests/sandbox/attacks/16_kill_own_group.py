# Its own process group, and its session, hold nobody else.
# expect: SIG9
# runs: 2
import os

os.killpg(os.getpgrp(), 9)
