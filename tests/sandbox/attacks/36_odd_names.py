# Names that a cleaner or a log could stumble over.
# expect: EXIT0
# prints: contained
# runs: 2
import os

for name in (
    b"-rf",
    b"--",
    b"\n",
    b"\xff\xfe",
    b" ",
    b"*",
    b"..x",
    b"$(id)",
    b"`id`",
    b"\x1b[2J",
    b"a\\b",
    b"con",
    b"~",
    b".",
    b"x" * 255,
):
    try:
        os.mkdir(b"/tmp/d" + name if len(name) < 250 else b"/tmp/" + name)
        open(b"/tmp/" + name, "w").close()
    except OSError:
        pass
try:
    os.chmod("/tmp", 0o000)
except OSError:
    pass
print("contained")
