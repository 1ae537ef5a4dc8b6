"""Every way to be shut in, each in a server process of its own with the rights it is meant for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
NOBODY = 65534
SCENARIO = """
import asyncio, json, os, sys
from sandbox.client import EmbeddedSandbox
from sandbox.v1 import sandbox_pb2 as pb

SUM = "a, b = map(int, input().split())\\nprint(a + b)"
OTHERS = '''
import os, signal
told = []
for what, act in (
    ("kill init", lambda: os.kill(1, 9)), ("kill parent", lambda: os.kill(os.getppid(), 9)),
    ("stop parent", lambda: os.kill(os.getppid(), 19)), ("kill all", lambda: os.kill(-1, 9)),
    ("read parent", lambda: open(f"/proc/{os.getppid()}/mem", "rb").read(1)),
    ("limit parent", lambda: __import__("resource").prlimit(os.getppid(), 0, (1, 1))),
    ("pin parent", lambda: os.sched_setaffinity(os.getppid(), {0})),
    ("write /usr", lambda: open("/usr/x", "w")), ("read shadow", lambda: open("/etc/shadow")),
    ("socket", lambda: __import__("socket").socket()),
):
    try:
        act()
        told.append(what)
    except OSError:
        pass
print(told)
'''

async def main():
    tier = sys.argv[1]
    sandbox = await EmbeddedSandbox.start(slots=1, tier=tier, require_tier=tier)
    described = await sandbox.describe()
    have = {one.name for one in described.languages if not one.missing}

    async def run(source, *stdin, language="python", **limits):
        work = pb.Inputs(stdin=stdin or [b""])
        asked = pb.Limits(**limits)
        result = await sandbox.run(
            pb.RunRequest(language=language, source=source, inputs=work, limits=asked)
        )
        assert result.status == pb.RunResult.OK, result
        return [
            [pb.Outcome.Ending.Name(o.ending), o.stdout.decode(), o.stderr.decode()[-200:]]
            for o in result.outcomes
        ]

    told = {"tier": pb.Tier.Name(described.tier)}
    told["sum"] = await run(SUM, b"1 2", b"3 4")
    told["others"] = await run(OTHERS)
    told["after"] = await run(SUM, b"5 6")
    told["cpu"] = await run("while True: pass", cpu_seconds=0.2)
    told["cpu of children"] = await run("import os\\nos.fork()\\nwhile True: pass", cpu_seconds=0.5)
    told["memory"] = await run("x = bytearray(300 << 20)", memory_bytes=100 << 20)
    told["output"] = await run("while True: print('x' * 1000)", output_bytes=10_000)
    told["bomb"] = await run(
        "import os\\nwhile True:\\n    try: os.fork()\\n    except OSError: pass",
        cpu_seconds=0.3, wall_seconds=3, processes=20,
    )
    told["kept"] = await run(
        "import os\\nprint(sorted(os.listdir('.')))\\nopen('note', 'w').write('x')\\n"
        "os.makedirs('a/b/c')\\nos.chmod('a', 0)", b"", b"",
    )
    told["daemon"] = await run(
        "import os, time\\nif os.fork() == 0:\\n    os.setsid()\\n    time.sleep(60)", b"", b""
    )
    told["deep"] = await run(
        "import os\\nfor _ in range(3000):\\n    os.mkdir('d')\\n    os.chdir('d')"
    )
    told["last"] = await run(SUM, b"7 8")
    for language, source in (
        ("c", "#include <stdio.h>\\nint main(){int a,b;scanf(\\"%d%d\\",&a,&b);printf(\\"%d\\",a+b);}"),
        ("bash", "read a b; echo -n $((a + b)); echo x > f; cat f >&2"),
        ("javascript", "const [a, b] = require('fs').readFileSync(0, 'utf8').split(' ')"
                       ".map(Number); process.stdout.write(String(a + b))"),
    ):
        if language in have:
            told[language] = await run(source, b"1 2", language=language)
    await sandbox.close()
    told["left"] = [
        name for name in os.listdir("/tmp") if name.startswith(f"touchstone-work-{os.getpid()}-")
    ]
    told["children"] = open("/proc/thread-self/children").read().split()
    print(json.dumps(told))

asyncio.run(main())
"""


def interpreter() -> str | None:
    """One that every user may start: this one, or the system's of the same version."""
    for path in (os.path.realpath(sys.executable), "/usr/bin/python3"):
        open_to_all = all(p.stat().st_mode & 0o001 for p in Path(path).resolve().parents)
        if os.path.exists(path) and open_to_all:
            version = subprocess.run([path, "-V"], capture_output=True, text=True).stdout
            if version.split()[1].split(".")[:2] == [str(n) for n in sys.version_info[:2]]:
                return path
    return None


def told_by(tier: str, user: int) -> dict[str, object]:
    if os.geteuid() != 0 and user != os.geteuid():
        pytest.skip("only root can start a server as another user")
    python = interpreter()
    if python is None:
        pytest.skip("no interpreter that other users can start: they cannot enter its directory")
    sites = [path for path in sys.path if path.endswith("-packages")]
    env = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join([str(ROOT), *sites]),
    }
    if not all(p.stat().st_mode & 0o001 for p in (ROOT, *ROOT.parents)):
        pytest.skip("other users cannot enter the checkout")
    done = subprocess.run(
        [python, "-c", SCENARIO, tier],
        env=env,
        user=user,
        group=user,
        extra_groups=[],
        capture_output=True,
        text=True,
        timeout=120,
        cwd="/",
    )
    if "is required and not available" in done.stderr:
        pytest.skip(done.stderr.strip().splitlines()[-1])
    assert done.returncode == 0, done.stderr[-3000:]
    told: dict[str, object] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize(
    ("tier", "user"),
    [("T3", 0), ("T3", NOBODY), ("T2", 0), ("T1", NOBODY), ("T1", 0)],
    ids=["T3 as root", "T3 as a user", "T2 as root", "T1 as a user", "T1 as root"],
)
def test_each_way_to_be_shut_in(tier: str, user: int) -> None:
    told = told_by(tier, user)
    assert told["tier"] == tier
    assert [run[:2] for run in told["sum"]] == [["EXITED", "3\n"], ["EXITED", "7\n"]]
    # Killing everybody spares the caller; it must reach nobody else.
    reached = set(eval_list(told["others"][0][1])) - {"kill all"}
    assert reached == set(), told["others"]
    assert told["after"][0][:2] == ["EXITED", "11\n"]
    assert told["cpu"][0][0] == "CPU_LIMIT"
    assert told["cpu of children"][0][0] == "CPU_LIMIT"
    # Without a cgroup an allocation fails instead.
    assert told["memory"][0][0] == "MEMORY_LIMIT" or "MemoryError" in told["memory"][0][2]
    assert told["output"][0][0] == "OUTPUT_LIMIT"
    assert told["bomb"][0][0] in ("CPU_LIMIT", "WALL_LIMIT")
    assert all(eval_list(run[1]) in ([], ["main.py"]) for run in told["kept"]), told["kept"]
    assert [run[0] for run in told["daemon"]] == ["EXITED", "EXITED"]
    assert told["deep"][0][0] == "EXITED"
    assert told["last"][0][:2] == ["EXITED", "15\n"]
    for language in ("c", "bash", "javascript"):
        if language in told:
            assert told[language][0][:2] == ["EXITED", "3"], (language, told[language])
    assert (told["left"], told["children"]) == ([], [])


def eval_list(text: str) -> list[str]:
    found: list[str] = json.loads(text.replace("'", '"'))
    return found
