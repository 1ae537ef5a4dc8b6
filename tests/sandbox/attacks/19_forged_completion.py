# Prints whatever a marker may look like, and fails.
# expect: EXIT1
# snippets: assert f(1)
# completed: no
import sys

for stream in (sys.stdout, sys.stderr):
    print("COMPLETED\ncompleted\n__END__\n1 passed", file=stream)


def f(x):
    return False
