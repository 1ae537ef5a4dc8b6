# A link to a file of somebody else's, or to an open file by its descriptor.
# expect: EXIT0
# prints: contained
import os

for path in (
    "/bin/sh",
    "/usr/bin/su",
    "/bin/mount",
    "/etc/passwd",
    "/etc/shadow",
    "/proc/self/exe",
    "/proc/1/exe",
):
    for follow in (True, False):
        try:
            os.link(path, "/tmp/linked", follow_symlinks=follow)
            print("reached:", path)
            os.unlink("/tmp/linked")
        except OSError:
            pass
    try:
        fd = os.open(path, os.O_RDONLY)
        os.link(f"/proc/self/fd/{fd}", "/tmp/linked", follow_symlinks=True)
        print("reached:", path)
    except OSError:
        pass
print("contained")
