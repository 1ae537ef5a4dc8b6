# problem: check
# flags: escape_attempt
# trick: becomes /bin/true before the test program starts
import os

os.execv("/bin/true", ["true"])
