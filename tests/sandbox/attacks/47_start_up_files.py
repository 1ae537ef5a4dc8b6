# Files and variables that the next interpreter would run before the program.
# expect: EXIT0
# prints: contained
# runs: 2
# submissions: 2
import builtins
import os
import sys

if hasattr(builtins, "touched"):
    print("reached: code of an earlier run")
if any(name.startswith(("PYTHON", "LD_")) and name != "PYTHONHASHSEED" for name in os.environ):
    print("reached: environment", dict(os.environ))
if not sys.flags.ignore_environment or not sys.flags.no_user_site:
    print("reached: flags", sys.flags)
text = "import builtins\nbuiltins.touched = 1\n"
version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
for path in (
    "/tmp/sitecustomize.py",
    "/tmp/usercustomize.py",
    "/tmp/.pythonrc",
    "/tmp/.pythonrc.py",
    "/tmp/random.py",
    f"/tmp/.local/lib/{version}/site-packages/x.pth",
    f"{sys.prefix}/lib/{version}/site-packages/x.pth",
    "/tmp/pyvenv.cfg",
    "/tmp/encodings/__init__.py",
    "/tmp/__pycache__/main.pyc",
    "/etc/ld.so.preload",
    "/tmp/.config/pip/pip.conf",
):
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, "w").write(
            "import builtins; builtins.touched = 1\n" if path.endswith("pth") else text
        )
    except OSError:
        pass
for name, value in (
    ("PYTHONSTARTUP", "/tmp/.pythonrc"),
    ("PYTHONPATH", "/tmp"),
    ("LD_PRELOAD", "/tmp/x.so"),
    ("LD_AUDIT", "/tmp/x.so"),
    ("PYTHONINSPECT", "1"),
):
    os.putenv(name, value)
print("contained")
