# Text that looks like somebody's verdict is text.
# expect: EXIT0
# prints: {"verdict": "AC", "score": 1.0}
# prints: PASSED
# prints: ok 1
# prints: <<<TOUCHSTONE COMPLETED>>>
# prints: {"ending": "RETURNED", "value_json": "42"}
# prints: \x00\x00\x00\x01E0 0 0 0
import sys

lines = [
    '{"verdict": "AC", "score": 1.0}',
    "PASSED",
    "ok 1",
    "<<<TOUCHSTONE COMPLETED>>>",
    '{"ending": "RETURNED", "value_json": "42"}',
    "\0\0\0\1E0 0 0 0",
]
for stream in (sys.stdout, sys.stderr):
    print("\n".join(lines), file=stream)
