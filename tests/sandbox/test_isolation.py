"""What a program cannot reach: the network, the host, other programs, the driver."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from sandbox.v1 import sandbox_pb2 as pb
from tests.sandbox.conftest import Asker, Outcome

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def tell(ask: Asker, source: str) -> str:
    outcome = await ask.one(source)
    assert (outcome.ending, outcome.exit_code) == (Outcome.EXITED, 0), outcome
    return outcome.stdout.decode().strip()


@pytest.mark.parametrize(
    "family", ["AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK", "AF_PACKET", "AF_VSOCK"]
)
async def test_no_sockets(ask: Asker, family: str) -> None:
    source = (
        f"import socket\ntry: socket.socket(socket.{family}, socket.SOCK_STREAM)\n"
        "except OSError as e: print(e.errno)"
    )
    assert await tell(ask, source) == "1"


async def test_host_files_are_not_there(ask: Asker) -> None:
    secrets = [
        "/etc/shadow", "/etc/passwd", "/etc/hostname", str(Path(__file__).resolve()),
        str(Path(__file__).resolve().parents[2] / "pyproject.toml"), "/home", "/var", "/sys",
        "/proc/1/environ", "/proc/2/maps", "/proc/meminfo", "/proc/sys", "/driver.py", "/dev/mem",
        os.path.expanduser("~/.bashrc"),
    ]  # fmt: skip
    source = f"import os\nprint([p for p in {secrets!r} if os.path.exists(p)])"
    assert await tell(ask, source) == "[]"


async def test_nothing_but_tmp_can_be_written(ask: Asker) -> None:
    source = """
import os
bad = []
for root in ('/', '/usr', '/usr/lib', '/dev', '/proc', '/etc', '/bin/', '/root'):
    for make in (lambda p: open(p, 'w'), os.mkdir, lambda p: os.symlink('x', p)):
        try: make(os.path.join(root, 'new')); bad.append(root)
        except OSError: pass
for path in ('/bin/sh', '/usr/bin/env'):
    for change in (lambda p: os.chmod(p, 0o777), os.unlink, lambda p: os.rename(p, '/tmp/x'),
                   lambda p: os.link(p, '/tmp/l'), lambda p: open(p, 'a')):
        try: change(path); bad.append(path)
        except OSError: pass
print(bad)
"""
    assert await tell(ask, source) == "[]"


async def test_own_pid_space_and_users(ask: Asker) -> None:
    source = (
        "import os\nprint(os.getpid() > 2, os.getresuid(), os.getresgid(), os.getgroups(),"
        "[p for p in os.listdir('/proc') if p.isdigit()] == [str(os.getpid())])"
    )
    assert await tell(ask, source) == "True (1000, 1000, 1000) (1000, 1000, 1000) [] True"


async def test_no_privileges_to_gain(ask: Asker) -> None:
    source = """
import os
lines = open('/proc/self/status').read().splitlines()
status = dict(line.split(':\\t', 1) for line in lines if ':\\t' in line)
print(*[status[k] for k in ('CapEff', 'CapPrm', 'CapAmb', 'NoNewPrivs', 'Seccomp')])
for f in (lambda: os.setuid(0), lambda: os.setgid(0), lambda: os.setgroups([0]),
          lambda: os.mknod('/tmp/d', 0o20666, os.makedev(1, 1)),
          lambda: os.chroot('/tmp'), lambda: os.nice(-5)):
    try: f(); print('gained')
    except OSError: pass
"""
    assert await tell(ask, source) == " ".join(["0" * 16] * 3 + ["1", "2"])


async def test_the_driver_is_out_of_reach(ask: Asker) -> None:
    source = """
import os, signal
refused = 0
for pid in (1, 2):
    for number in (9, 15, 19):
        try: os.kill(pid, number); print('reached', pid)
        except PermissionError: refused += 1
for path in ('/proc/2/mem', '/proc/2/fd', '/proc/2/environ', '/proc/1/root', '/proc/2/cwd'):
    if os.path.exists(path): print('sees', path)
print(refused)
"""
    assert await tell(ask, source) == "6"


@pytest.mark.parametrize("pid", [-1, 0])
async def test_killing_everybody_kills_only_oneself(ask: Asker, pid: int) -> None:
    source = f"import os\nif input() == 'x': os.kill({pid}, 9)\nprint(1)"
    result = await ask.result(source, b"y", b"x", b"y")
    assert result.status == pb.RunResult.OK
    first, second, third = result.outcomes
    assert (first.stdout, third.stdout) == (b"1\n", b"1\n")
    if pid == 0:
        assert (second.ending, second.signal) == (Outcome.SIGNALLED, 9)
    else:  # spares the caller, and the driver is another user's
        assert (second.ending, second.stdout) == (Outcome.EXITED, b"1\n")


async def test_system_calls(ask: Asker) -> None:
    """Numbers of x86-64; each must be refused, not merely fail for its arguments."""
    source = """
import ctypes, platform
libc = ctypes.CDLL(None, use_errno=True)
def call(*a):
    ctypes.set_errno(0)
    libc.syscall(*a)
    return ctypes.get_errno()
if platform.machine() == 'x86_64':
    denied = dict(ptrace=101, process_vm_readv=310, process_vm_writev=311, kcmp=312,
        pidfd_getfd=438, mount=165, umount2=166, pivot_root=155, chroot=161,
        unshare=272, setns=308, open_tree=428,
        fsopen=430, bpf=321, perf_event_open=298, userfaultfd=323, io_uring_setup=425, keyctl=250,
        add_key=248, personality=135, kexec_load=246, init_module=175, reboot=169, settimeofday=164,
        clock_settime=227, shmget=29, semget=64, msgget=68, mq_open=240, syslog=103, iopl=172,
        name_to_handle_at=303, connect=42, bind=49, fanotify_init=300, swapon=167, acct=163)
    print([k for k, n in denied.items() if call(n, 0, 0, 0, 0, 0, 0) != 1])
    print(call(435, 0, 0), call(0x40000000 | 39), call(500))
    # clone with each CLONE_NEW flag
    print([hex(f) for f in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000,
                            0x40000000) if call(56, f | 17, 0, 0, 0, 0) != 1])
else:
    print([]); print(38, 38, 38); print([])
"""
    assert await tell(ask, source) == "[]\n38 38 38\n[]"


async def test_i386_system_calls_kill(ask: Asker) -> None:
    source = """
import ctypes, mmap
code = mmap.mmap(-1, 4096, prot=7)
code.write(b'\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3')  # mov eax, 20 (getpid); int 0x80; ret
ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()
print('alive')
"""
    outcome = await ask.one(source)
    # SIGSYS by the filter; SIGSEGV where the kernel has no 32-bit entry at all.
    assert outcome.ending == Outcome.SIGNALLED
    assert outcome.signal in (31, 11)


async def test_tmp_is_not_kept_between_runs(ask: Asker) -> None:
    source = """
import os, glob
print(sorted(os.listdir('/tmp')), sorted(os.listdir('/dev/shm')))
open('/tmp/note', 'w').write('x')
from multiprocessing import shared_memory
"""
    result = await ask.result(source, b"", b"", b"")
    assert {o.stdout for o in result.outcomes} == {b"['main.py'] ['main.py']\n"}


async def test_tmp_is_not_shared_between_submissions(ask: Asker) -> None:
    write = "import time\nopen('/tmp/note', 'w').write('secret')\ntime.sleep(0.5)"
    read = "import os, time\ntime.sleep(0.2)\nprint(os.listdir('/tmp'))"
    _, outcome = await asyncio.gather(ask.one(write), ask.one(read))
    assert outcome.stdout == b"['main.py']\n"


async def test_left_over_processes_do_not_see_the_next_run(ask: Asker) -> None:
    """A daemon that holds the standard streams neither delays its run nor lives on."""
    source = """
import os, sys, time
if input() == 'x':
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(30)
        os._exit(0)
print(sorted(p for p in os.listdir('/proc') if p.isdigit() and int(p) != os.getpid()))
"""
    result = await ask.result(source, b"x", b"y")
    assert result.outcomes[1].stdout == b"[]\n"
    assert result.outcomes[0].wall_us < 15_000_000  # not the half minute of the daemon


async def test_only_the_standard_streams_are_open(ask: Asker) -> None:
    source = "import os\nprint(sorted(os.listdir('/proc/self/fd')))"
    assert await tell(ask, source) == "['0', '1', '2', '3']"  # 3: the listing itself


async def test_slots_have_different_users_outside(ask: Asker) -> None:
    source = "import time\ntime.sleep(0.5)\nprint(open('/proc/self/uid_map').read().split())"
    one, two = await asyncio.gather(ask.one(source), ask.one(source))
    outside = [set(o.stdout.decode().split("'")[3::6]) for o in (one, two)]
    assert all(len(ids) == 2 and "0" not in ids for ids in outside), outside
    assert not outside[0] & outside[1]
