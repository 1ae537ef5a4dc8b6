"""The warm interpreter of one submission: pid 2 of a jail, under `python -I -S`.

The server sends this file compiled, over fd 3, to the few lines of languages/python.py's BOOT. It
reads commands from the server (fd 3), forks a fresh process for each run, waits for it and
for everything it left behind, and reports how it ended. It runs as user 0 of the jail's user
namespace; each run becomes user 1000 for good before it executes a line of untrusted code, so a
run can neither signal nor trace the driver. Expected outputs never come here.

Covered: exit codes, tracebacks, threads, atexit and flushing as CPython does them: a run ends by
leaving this file through the interpreter's own shutdown, or, where nothing that the program leaves
behind could tell the difference (see FINALISED), by the visible steps of it alone. Function results
are encoded by exact type with functions captured before the program starts; of subclasses only
those of dict and tuple, by the data of the base class, their own methods never being called.

Not covered: a program can forge its own result frames, since it shares a process with the code
that writes them. That gains it nothing for calls (the value is compared outside, where the
expected one is), but a snippet's `completed` can be forged by a program that goes looking.

Only the standard library, and little of it: every import here is paid for by every submission.
Commands to the driver are marshalled dicts after their length; its replies are plain bytes after
a letter and their length, because the server must not trust them.
"""

import _socket
import atexit
import builtins
import gc
import io
import marshal
import os
import resource
import sys
import time

TYPE_CHECKING = False  # typing itself would take longer to import than all of the above
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, ModuleType
    from typing import Any, NoReturn

CONTROL_FD, INIT_FD, RESULT_FD = 3, 4, 3
RUN_ID = 1000
PATH = "/tmp/main.py"
OWN_NAME = "<driver>"
MAX_FDS = 4
MAX_DIAGNOSTICS = 65_536
MAX_ERROR = 4_096
# Deeper values are refused: the encoder below recurses.
MAX_DEPTH = 500
# Modules that programs import at their top are imported once, before the forks. Only ones
# whose import has no effect that a program could notice.
PRELOADED = frozenset(
    """abc array bisect cmath collections contextlib copy dataclasses datetime decimal enum
    fractions functools heapq io itertools json math operator queue random re statistics string
    struct textwrap threading time types typing""".split()  # noqa: SIM905 (a list is 32 lines)
)
# What only the full shutdown does: it destroys objects, which closes and so flushes files that
# the program opened itself, and runs __del__, weakref callbacks and suspended generators. It
# costs more than a small program, so a program that leaves nothing of the kind behind goes without
# it. Whether it does is seen by looking at its objects at its end (see leaves_finalisers), for
# there are too many ways to spell open(1, "w"). These words stand for what that look would miss:
# objects that the collector does not know, callbacks on the death of others, the buffers of C
# libraries, and the collector or the look itself tampered with.
FINALISED = (b"__del__", b"weakref", b"ctypes", b"freeze", b"audit")
# More memory blocks than this are not looked at: the list of all objects would take memory that
# the program may not have left, and its shutdown is short beside its run.
MAX_LOOKED_AT = 1 << 19
# Have __del__ as all of io has, and nothing to flush.
HARMLESS = frozenset((io.BytesIO, io.StringIO))
# Their ids only: a reference from here would keep them from being closed, and so flushed, at the
# end of a program that has put others in their place.
STREAMS = id(sys.stdout), id(sys.stderr)
FIND = type.__getattribute__  # asks no metaclass of the program
COMPILE_ERRORS = (SyntaxError, ValueError, MemoryError, RecursionError, OverflowError)


def receive(control: "_socket.socket", count: int) -> bytes:
    """Exactly `count` bytes, or b"" when the server is gone."""
    data = bytearray()
    while len(data) < count:
        chunk = control.recv(min(count - len(data), 1 << 20))
        if not chunk:
            return b""
        data += chunk
    return bytes(data)


def next_command(control: "_socket.socket") -> "tuple[dict[str, Any] | None, list[int]]":
    """The next command and the descriptors that came with it; None when the server is gone."""
    header, ancillary, _, _ = control.recvmsg(4, _socket.CMSG_SPACE(4 * MAX_FDS))
    fds = []
    for _, _, data in ancillary:
        for at in range(0, len(data) // 4 * 4, 4):
            fds.append(int.from_bytes(data[at : at + 4], sys.byteorder))
    if header and len(header) < 4:
        header += receive(control, 4 - len(header))
    if len(header) < 4:
        return None, fds
    body = receive(control, int.from_bytes(header, "little"))
    return (marshal.loads(body) if body else None), fds


def reply(control: "_socket.socket", kind: bytes, body: bytes) -> None:
    control.sendall(kind + len(body).to_bytes(4, "little") + body)


# ---- one submission ------------------------------------------------------------------------


class Program:
    """The compiled program: the prelude's code if there is one, and the source's."""

    def __init__(self, prelude: str, source: str) -> None:
        self.text = source.encode()
        self.codes = [compile(self.text, PATH, "exec", dont_inherit=True)]
        before = prelude.encode()
        if before:
            code = compile(before, "/tmp/prelude.py", "exec", dont_inherit=True)
            self.codes.insert(0, code)
        self.finalise = any(word in self.text or word in before for word in FINALISED)

    def preload(self) -> None:
        for code in self.codes:
            for name in PRELOADED.intersection(code.co_names):
                __import__(name)


def main() -> None:
    control = _socket.socket(fileno=CONTROL_FD)
    add_site_builtins()
    program = None
    used_tmp = False
    while True:
        command, fds = next_command(control)
        if command is None:
            return
        if command["do"] == "load":
            program = load(control, command)
            continue
        if program is None:
            raise RuntimeError("told to run before a program was loaded")
        if used_tmp:
            fresh_tmp()
        used_tmp = True
        began = time.monotonic_ns()
        pid = os.fork()
        if pid == 0:
            control.detach()
            start_run(command, fds, program)
        for fd in fds:
            os.close(fd)
        status, cpu, peak = wait_for_all(pid)
        wall = (time.monotonic_ns() - began) // 1000
        reply(control, b"E", b"%d %d %d %d" % (status, cpu, wall, peak))


def add_site_builtins() -> None:
    """exit() and quit(), which -S leaves out and many programs use."""
    from _sitebuiltins import Quitter

    for name in ("exit", "quit"):
        setattr(builtins, name, Quitter(name, "Ctrl-D (i.e. EOF)"))


def load(control: "_socket.socket", command: "dict[str, Any]") -> Program | None:
    """Compiles the program; answers "L", or "C" and what is wrong with it."""
    try:
        program = Program(command["prelude"], command["source"])
    except COMPILE_ERRORS as error:
        from traceback import format_exception_only

        text = "".join(format_exception_only(type(error), error))
        reply(control, b"C", text.encode("utf-8", "replace")[:MAX_DIAGNOSTICS])
        return None
    if command["preload"]:
        program.preload()
    # Collections in the runs leave alone what is here, and with it the pages that they share.
    gc.freeze()
    reply(control, b"L", b"")
    return program


def wait_for_all(pid: int) -> tuple[int, int, int]:
    """Waits for the run, then kills and waits for whatever it left behind.

    Returns its status, and CPU microseconds and peak KiB of all its processes. The driver is
    their reaper, so ECHILD means that none is left.
    """
    _, status, usage = os.wait4(pid, 0)
    cpu, peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss
    while True:
        try:
            os.kill(-1, 9)
            _, _, usage = os.wait4(-1, 0)
        except (ProcessLookupError, ChildProcessError):
            return status, round(cpu * 1e6), peak
        cpu += usage.ru_utime + usage.ru_stime
        peak = max(peak, usage.ru_maxrss)


def fresh_tmp() -> None:
    """Asks init to replace /tmp by an empty one."""
    os.write(INIT_FD, b"t")
    if not os.read(INIT_FD, 1):
        raise OSError("init is gone")


# ---- one run: from here on in the forked process ---------------------------------------------


def start_run(command: "dict[str, Any]", fds: list[int], program: Program) -> "NoReturn":
    """Shuts itself off from the driver, runs the program, and ends the process."""
    for number, fd in enumerate(fds):
        os.dup2(fd, number, number < 3)
    os.closerange(len(fds), 1 << 16)
    os.setsid()
    resource.setrlimit(resource.RLIMIT_CPU, (command["cpu_limit"],) * 2)
    if command["data_limit"]:
        # No memory cgroup, and the stack does not count as data: its limit stays what it is.
        stack, _ = resource.getrlimit(resource.RLIMIT_STACK)
        resource.setrlimit(resource.RLIMIT_STACK, (stack, stack))
        resource.setrlimit(resource.RLIMIT_DATA, (command["data_limit"],) * 2)
    if command["process_limit"]:
        resource.setrlimit(resource.RLIMIT_NPROC, (command["process_limit"],) * 2)
    os.setresgid(RUN_ID, RUN_ID, RUN_ID)
    os.setresuid(RUN_ID, RUN_ID, RUN_ID)
    os.chdir("/tmp")
    fd = os.open(PATH, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o644)
    os.write(fd, program.text)
    os.close(fd)
    os.environ.clear()
    sys.argv[:] = [PATH]
    sys.path.insert(0, "/tmp")
    what = command["do"]
    # A program that is called, or tested, is imported: its `if __name__ == "__main__":` is not run.
    module = type(sys)("__main__" if what == "input" else "main")
    module.__file__ = PATH
    module.__dict__["__builtins__"] = builtins
    sys.modules["__main__"] = sys.modules[module.__name__] = module
    if what == "input":
        code = run_codes(program.codes, module.__dict__) or 0
        if not program.finalise:
            leave_early(code)
        raise SystemExit(code)
    if what == "snippet":
        run_snippet(program, module, command)
    run_calls(program, module, command)


def run_codes(codes: "list[CodeType]", namespace: "dict[str, Any]") -> int | None:
    """Runs the program as CPython runs a script, up to but without the shutdown.

    Returns None when its end was reached, otherwise the exit code; SystemExit with anything but
    a number goes on to the interpreter.
    """
    try:
        for code in codes:
            exec(code, namespace)  # noqa: S102 (this is what the jail is for)
    except SystemExit as error:
        if error.code is None:
            return 0
        if type(error.code) is int:
            return error.code
        raise
    except BaseException as error:  # noqa: BLE001 (reported as the interpreter would)
        report_uncaught(error)
        return 1
    return None


def report_uncaught(error: BaseException) -> None:
    """Prints the traceback as CPython does, without the driver's own frames."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == OWN_NAME:
        trace = trace.tb_next
    kind = type(error)
    # The hook shows the exception's own traceback, not the one it is given.
    BaseException.with_traceback(error, trace)
    sys.last_type, sys.last_value, sys.last_traceback = kind, error, trace
    try:
        sys.excepthook(kind, error, trace)
    except BaseException:  # noqa: BLE001 (the program's own hook)
        sys.__excepthook__(kind, error, trace)
    if isinstance(error, KeyboardInterrupt):
        import signal

        try:  # noqa: SIM105 (an import more)
            sys.stdout.flush()
        except BaseException:  # noqa: BLE001 (the program's own, or none at all)
            pass
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)


def leave_early(code: int) -> None:
    """Ends the process by the visible steps of the shutdown; returns where that is not enough."""
    threading = sys.modules.get("threading")
    if threading is not None:
        threading._shutdown()
    atexit._run_exitfuncs()
    try:
        if (id(sys.stdout), id(sys.stderr)) != STREAMS or leaves_finalisers():
            return
        sys.stdout.flush()
        sys.stderr.flush()
    except Exception:  # noqa: BLE001
        return  # the interpreter does the same again, and reports it as it should be
    os._exit(code & 0xFF)


def leaves_finalisers() -> bool:
    """Whether something is left whose destruction could be noticed: it has a __del__, as every
    file and every generator has."""
    if sys.getallocatedblocks() > MAX_LOOKED_AT or "_ctypes" in sys.modules:
        return True
    # What was there before the run is frozen, and so not listed.
    for kind in set(map(type, gc.get_objects())) - HARMLESS:
        try:
            FIND(kind, "__del__")
        except AttributeError:
            continue
        return True
    return False


def run_snippet(program: Program, module: "ModuleType", command: "dict[str, Any]") -> "NoReturn":
    namespace, write = module.__dict__, os.write
    codes, nonce = list(program.codes), command["nonce"]
    try:
        for code in codes:
            exec(code, namespace)  # noqa: S102
        # A test's own `if __name__ == "__main__":` must be run, or it would pass without it.
        namespace["__name__"] = "__main__"
        text = command["source"].encode()
        exec(compile(text, "/tmp/test.py", "exec", dont_inherit=True), namespace)  # noqa: S102
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001 (reported as the interpreter would)
        report_uncaught(error)
        raise SystemExit(1) from None
    write(RESULT_FD, nonce)
    raise SystemExit(0)


# ---- calls -----------------------------------------------------------------------------------


class NoExactForm(Exception):
    """The value cannot be told exactly in JSON."""


class TooLong(Exception):
    """The value's JSON is longer than the run may write."""


def make_encoder() -> "Callable[[object, int], str]":
    """The function from value to JSON text. Holds all it needs, so that nothing that the program
    replaces in builtins or json changes what it does."""
    from _json import encode_basestring_ascii as quote

    exact, integer, floating, length = type, int.__repr__, float.__repr__, len
    int_, float_, str_, list_, tuple_, dict_ = int, float, str, list, tuple, dict
    items, members, descends = dict.items, tuple.__iter__, type.__subclasscheck__
    join, no_form, too_long = "".join, NoExactForm, TooLong
    digits, unlimited = sys.get_int_max_str_digits, sys.set_int_max_str_digits
    infinity, deepest = float("inf"), MAX_DEPTH

    def encode(value: object, limit: int) -> str:
        pieces: list[str] = []
        add = pieces.append
        total = 0

        def walk(value: "Any", depth: int) -> None:
            nonlocal total
            kind = exact(value)
            if kind is str_:
                text = quote(value)
            elif value is None:
                text = "null"
            elif value is True:
                text = "true"
            elif value is False:
                text = "false"
            elif kind is int_:
                text = integer(value)
            elif kind is float_:
                if value != value:
                    text = "NaN"
                elif value == infinity:
                    text = "Infinity"
                elif value == -infinity:
                    text = "-Infinity"
                else:
                    text = floating(value)
            else:
                base = kind
                if kind is not list_ and kind is not tuple_ and kind is not dict_:
                    base = tuple_ if descends(tuple_, kind) else dict_
                    if base is dict_ and not descends(dict_, kind):
                        raise no_form(f"the value of type {kind.__name__} has no exact JSON form")
                if depth == deepest:
                    raise no_form(f"the value is nested deeper than {deepest}")
                if base is dict_:
                    lead = "{"
                    for key, inner in items(value):
                        if exact(key) is not str_:
                            name = exact(key).__name__
                            raise no_form(f"the dict key of type {name} has no exact JSON form")
                        key = lead + quote(key) + ":"
                        add(key)
                        total += length(key)
                        walk(inner, depth + 1)
                        lead = ","
                    text = "}" if lead == "," else "{}"
                else:
                    lead = "["
                    for inner in members(value) if base is tuple_ else value:
                        add(lead)
                        total += 1
                        walk(inner, depth + 1)
                        lead = ","
                    text = "]" if lead == "," else "[]"
            add(text)
            total += length(text)
            if total > limit:
                raise too_long

        before = digits()
        unlimited(0)
        try:
            walk(value, 0)
        finally:
            unlimited(before)
        return join(pieces)

    return encode


def resolve(
    namespace: "dict[str, Any]", entry_point: str, function_only: bool
) -> "Callable[[], Any] | None":
    """What gives the callable for one call: a method of a new object, or a function itself.

    A bare name means a method of `Solution` first, unless `function_only`: a function of that
    name may be an import.
    """
    owner, _, method = entry_point.rpartition(".")
    kind = None if function_only else namespace.get(owner or "Solution")
    if isinstance(kind, type) and callable(getattr(kind, method, None)):
        return lambda: getattr(kind(), method)
    function = None if owner else namespace.get(entry_point)
    return (lambda: function) if callable(function) else None


def run_calls(program: Program, module: "ModuleType", command: "dict[str, Any]") -> "NoReturn":
    """Each result is one frame: nonce, "<IcQQI" (index, kind, CPU us, wall us, length), text.

    Kinds: "R" returned, "X" raised, "O" value too long.
    """
    encode, loads, write, leave = make_encoder(), marshal.loads, os.write, os._exit
    cpu_clock, wall_clock, getpid = time.process_time_ns, time.monotonic_ns, os.getpid
    nonce, limit, stop = command["nonce"], command["output_limit"], command["stop"]
    calls, entry_point = command["calls"], command["entry_point"]
    pid, base, fd, count, to_bytes = getpid(), BaseException, RESULT_FD, len, int.to_bytes
    no_form, too_long, describe = NoExactForm, TooLong, describe_error

    def report(index: int, kind: bytes, cpu: int, wall: int, text: bytes) -> None:
        if getpid() != pid:  # the function forked, and its child came back here
            leave(1)
        data = nonce + to_bytes(index, 4, "little") + kind + to_bytes(cpu, 8, "little")
        data += to_bytes(wall, 8, "little") + to_bytes(count(text), 4, "little") + text
        sent = 0
        while sent < count(data):
            sent += write(fd, data[sent:] if sent else data)

    code = run_codes(program.codes, module.__dict__)
    if code is not None:
        raise SystemExit(code)
    find = resolve(module.__dict__, entry_point, command["function_only"])
    for index in range(count(calls)):
        cpu, wall = cpu_clock(), wall_clock()
        kind = b"X"
        try:
            if find is None:
                raise NameError(f"the program defines no entry point '{entry_point}'")
            text = encode(find()(*loads(calls[index])), limit).encode("ascii")
            kind = b"R"
        except no_form as error:
            text = error.args[0].encode("utf-8", "replace")
        except too_long:
            kind, text = b"O", b""
        except base as error:
            text = describe(error)
        report(index, kind, (cpu_clock() - cpu) // 1000, (wall_clock() - wall) // 1000, text)
        if kind == b"O" or (stop and kind == b"X"):
            break
    leave(0)
    raise SystemExit(0)  # not reached


def describe_error(error: BaseException) -> bytes:
    """Type and message, capped; a message that cannot be made is left out."""
    name = type(error).__name__
    try:
        message = str(error)
        text = f"{name}: {message}" if message else name
        return text[:MAX_ERROR].encode("utf-8", "replace")
    except BaseException:  # noqa: BLE001 (the program's own __str__)
        return name.encode("utf-8", "replace")


if __name__ == "__main__":
    main()
