"""The warm interpreter of a slot: the zygote of Python runs, under `python -I -S`.

The server sends this file compiled, through init, to the few lines of languages/python.py's BOOT.
Init asks for a run by one packet with the run's descriptors; the zygote forks, waits for the run,
and answers with how it ended, and whether it left processes behind. What to run the forked process
reads itself, from its descriptor 3, after it has become a user that can neither signal nor trace
the zygote: no byte of a submission ever comes to the zygote. Expected outputs never come here.

Covered: exit codes, tracebacks, threads, atexit and flushing as CPython does them: a run ends by
leaving this file through the interpreter's own shutdown, or, where nothing that the program leaves
behind could tell the difference (see FINALISED), by the visible steps of it alone. Function results
are encoded by exact type with functions captured before the program starts; of subclasses only
those of dict and tuple, by the data of the base class, their own methods never being called.

Not covered: a program can forge its own result frames, since it shares a process with the code
that writes them. That gains it nothing for calls (the value is compared outside, where the
expected one is), but a snippet's `completed` can be forged by a program that goes looking. The
seed of str hashes is the zygote's: drawn anew for each zygote, not for each run.

Only the standard library. A fork costs what it touches: a page that the zygote and a run share is
copied when either writes to it, which takes longer than a hundred lines of Python. Hence no hooks
at the fork (see Hooks), no objects freed that need not be, and a rehearsal before the first one.
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

CONTROL_FD, RULES_FD, RESULT_FD = 3, 4, 3
RUN_FDS = 4
OWN_NAME = "<driver>"
MAX_DIAGNOSTICS = 65_536
MAX_ERROR = 4_096
# Deeper values are refused: the encoder below recurses.
MAX_DEPTH = 500
# What programs for contests import, imported once, before the forks. Only modules whose import
# has no effect that a program could notice.
PRELOADED = """abc array bisect cmath collections collections.abc contextlib copy dataclasses
    datetime decimal enum fractions functools heapq io itertools json math operator queue random
    re statistics string struct textwrap threading time types typing""".split()  # noqa: SIM905
# Enough for the interpreter to have adapted the code (CPython 3.11: 8 to 16 runs).
REHEARSALS = 20
REHEARSED = "a, b = map(int, input().split())\nprint(a + b)\n"
# Most commands are shorter, and are read at once.
SMALL_COMMAND = 4096
# The modules of PRELOADED that hold a generator of random numbers.
RANDOM = ("random", "statistics")
# Names without which a program leaves nothing for the full shutdown (see FINALISED), makes no
# process and looks at no file: it neither opens one nor finds another way to what does. Most
# programs have none of them, and go without the steps that only such things could notice. A name
# is what follows a dot, too; the modules that are not PRELOADED count like these.
TELLING = sys.stdlib_module_names.difference(PRELOADED, ("sys", "os")).union(
    """open fdopen popen open_code OpenWrapper FileIO TextIOWrapper BufferedReader BufferedWriter
    BufferedRandom
    BufferedRWPair detach dup dup2 pipe memfd_create sendfile fork forkpty posix_spawn posix_spawnp
    spawn spawnl spawnv system execv execve execl execvp execlp _exit abort listdir scandir stat
    lstat exists isfile isdir walk glob remove unlink rename mkdir access chdir getcwd getsize
    islink realpath thread threading Thread Timer
    __del__ __dict__ __getattribute__ __getattr__ __class__ __bases__ __mro__ __subclasses__
    __globals__ __builtins__ __import__ __loader__ __spec__ __file__ __reduce__ __reduce_ex__
    __closure__ __code__ __self__ __func__ __wrapped__ __traceback__ __context__ __cause__
    __init_subclass__ __prepare__ __subclasshook__ __set_name__ __class_getitem__ argv orig_argv
    getattr setattr delattr hasattr vars dir globals locals eval exec compile type object help
    breakpoint modules meta_path path_hooks import_module attrgetter methodcaller _getframe
    f_globals f_builtins f_locals f_back tb_frame gi_frame cr_frame ag_frame gi_code __next__
    get_objects get_referrers get_referents freeze addaudithook audit settrace setprofile
    excepthook unraisablehook displayhook exc_info last_traceback register ref proxy finalize
    contextmanager asynccontextmanager closing ExitStack singledispatch""".split()  # noqa: SIM905
)
GENERATORS = 0x20 | 0x80 | 0x200  # CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR
# What only the full shutdown does: it destroys objects, which closes and so flushes files that
# the program opened itself, and runs __del__, weakref callbacks and suspended generators. It
# costs more than a small program, so a program that leaves nothing of the kind behind goes without
# it. Whether it does is seen by looking at its objects at its end (see leaves_finalisers), for
# there are too many ways to spell open(1, "w"). These words stand for what that look would miss:
# objects that the collector does not know, callbacks on the death of others, the buffers of C
# libraries, and the collector or the look itself tampered with.
FINALISED = (b"__del__", b"weakref", b"ctypes", b"freeze", b"audit")
# A program that took more KiB is not looked at: the list of all objects would take memory that
# the program may not have left, and its shutdown is short beside its run.
MAX_LOOKED_AT = 1 << 17
# Have __del__ as all of io has, and nothing to flush.
HARMLESS = frozenset((io.BytesIO, io.StringIO))
# Their ids only: a reference from here would keep them from being closed, and so flushed, at the
# end of a program that has put others in their place.
STREAMS = id(sys.stdout), id(sys.stderr)
CODE = type((lambda: 0).__code__)
KIND, TYPE_NAME = type, type.__dict__["__name__"].__get__  # the class's own, no metaclass's
FIND = type.__getattribute__  # asks no metaclass of the program
COMPILE_ERRORS = (SyntaxError, ValueError, MemoryError, RecursionError, OverflowError)


class Hooks:
    """What preloaded modules want done in forked children, kept from being done at each fork.

    A run that could make children registers them, so that these are served. Of those for the run
    itself only the one that draws new random numbers is seen by a program: the modules that hold
    such numbers are put back where the program's text names one, and redrawn; where it does not,
    finding them by another way imports them anew.
    """

    def __init__(self) -> None:
        self._register = os.register_at_fork
        self._kept: list[dict[str, Any]] = []
        self._random: dict[str, ModuleType] = {}

    def __enter__(self) -> "Hooks":
        os.register_at_fork = self._keep
        return self

    def __exit__(self, *_: object) -> None:
        os.register_at_fork = self._register
        for name in RANDOM:
            self._random[name] = sys.modules.pop(name)

    def _keep(self, **hook: "Any") -> None:
        self._kept.append(hook)

    def in_child(self, program: "Program") -> None:
        if not program.plain:
            for hook in self._kept:
                self._register(**hook)
        if b"random" in program.text or b"statistics" in program.text:
            sys.modules.update(self._random)
            self._random["random"]._inst.seed()
            if "numpy.random" in sys.modules:
                sys.modules["numpy.random"].seed()


class Guard:
    """What keeps runs from the zygote where both have the same user: see jail/main.c."""

    PR_SET_DUMPABLE, LANDLOCK_RESTRICT_SELF = 4, 446

    def __init__(self, rules: bool) -> None:
        import ctypes

        self._libc = ctypes.CDLL(None, use_errno=True)
        self._rules = rules
        if self._libc.prctl(self.PR_SET_DUMPABLE, 0, 0, 0, 0):
            raise OSError("prctl")
        del sys.modules["ctypes"]

    def in_child(self) -> None:
        # Init looks at how much of its memory is shared.
        self._libc.prctl(self.PR_SET_DUMPABLE, 1, 0, 0, 0)
        if self._rules:
            if self._libc.syscall(self.LANDLOCK_RESTRICT_SELF, RULES_FD, 0):
                raise OSError("landlock_restrict_self")
            os.close(RULES_FD)


class Prepared:
    """What runs would make for themselves, made before the forks."""

    def __init__(self, tmp: str) -> None:
        self.path = tmp + "/main.py"
        sys.argv[:] = [self.path]
        sys.path.insert(0, tmp)
        # A program that is called, or tested, is imported: its `if __name__ == "__main__":` is
        # not run.
        self.script, self.imported = self._module("__main__"), self._module("main")
        self._own = sys.modules["__main__"]
        sys.modules["__main__"] = self.script

    def _module(self, name: str) -> "ModuleType":
        module = type(sys)(name)
        module.__file__ = self.path
        module.__dict__["__builtins__"] = builtins
        return module

    def module(self, what: str) -> "ModuleType":
        if what != "input":
            sys.modules["__main__"] = sys.modules["main"] = self.imported
            return self.imported
        return self.script


def main(options: "dict[str, Any]") -> None:
    control = _socket.socket(fileno=CONTROL_FD)
    add_site_builtins()
    os.environ.clear()
    os.environ.update(options["environment"])
    sys.path += options["path"]
    with Hooks() as hooks:
        for name in PRELOADED + options["preload"]:
            __import__(name)
    os.environ.clear()
    guard = Guard(options["rules"]) if options["guard"] else None
    for _ in range(REHEARSALS):
        rehearse(options["tmp"] + "/main.py")
    gc.collect()
    # Collections in the runs leave alone what is here, and with it the pages that they share.
    gc.freeze()
    # After that: a module that is frozen would not be collected at the end of its program.
    prepared = Prepared(options["tmp"])
    control.send(b"ready")
    space = _socket.CMSG_SPACE(4 * RUN_FDS)
    while True:
        data, ancillary, _, _ = control.recvmsg(1, space)
        if not data:
            return
        fds = memoryview(ancillary[0][2]).cast("i").tolist()
        pid = os.fork()
        if pid == 0:
            control.detach()
            start_run(fds, prepared, hooks, guard)
        for fd in fds:
            os.close(fd)
        control.send(wait_for(pid))


def add_site_builtins() -> None:
    """exit() and quit(), which -S leaves out and many programs use."""
    from _sitebuiltins import Quitter

    for name in ("exit", "quit"):
        setattr(builtins, name, Quitter(name, "Ctrl-D (i.e. EOF)"))


def rehearse(path: str) -> None:
    """Does once what every run does, with descriptors of its own: the interpreter adapts code and
    fills caches as it runs, which writes to pages, and should do so here and not in every child."""
    command = {"prelude": "", "source": REHEARSED, "codes": b"", "keep": False}
    body = marshal.dumps(command, 2)
    ends = os.pipe()
    os.write(ends[1], len(body).to_bytes(4, "little") + body)
    program = load(read_command(ends[0]), path, ends[1])
    os.read(ends[0], 1)
    os.write(ends[1], b"1 2\n")
    streams = sys.stdin, sys.stdout
    sys.stdin, sys.stdout = open(ends[0]), open(os.devnull, "w")  # noqa: SIM115
    run_codes(program, {"__name__": "__main__", "__builtins__": builtins})
    leaves_finalisers()
    sys.stdout.close()
    sys.stdin.close()
    sys.stdin, sys.stdout = streams
    os.close(ends[1])


def wait_for(pid: int) -> bytes:
    """Status, CPU microseconds and peak KiB of a run and of its dead orphans, and 1 where some
    live. The zygote is their reaper, so ECHILD means that none is left."""
    _, status, usage = os.wait4(pid, 0)
    cpu, peak, left = usage.ru_utime + usage.ru_stime, usage.ru_maxrss, 0
    while True:
        try:
            pid, _, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            break
        if pid == 0:
            left = 1
            break
        cpu += usage.ru_utime + usage.ru_stime
        peak = max(peak, usage.ru_maxrss)
    return b"%d %d %d %d" % (status, round(cpu * 1e6), peak, left)


# ---- the program -----------------------------------------------------------------------------


class Program:
    """The compiled program: the prelude's code if there is one, and the source's."""

    def __init__(self, command: "dict[str, Any]", path: str) -> None:
        self.text = command["source"].encode()
        if command["codes"]:
            self.codes: list[CodeType] = marshal.loads(command["codes"])
        else:
            self.codes = [compile(self.text, path, "exec", dont_inherit=True)]
            if before := command["prelude"].encode():
                code = compile(before, "/tmp/prelude.py", "exec", dont_inherit=True)
                self.codes.insert(0, code)
        self.plain = all(map(is_plain, self.codes))

    @property
    def finalise(self) -> bool:
        """Whether only the full shutdown will do."""
        return any(word in self.text for word in FINALISED)


def is_plain(code: "CodeType") -> bool:
    """Whether a program has no TELLING name, and no function that is suspended with work to do."""
    if not TELLING.isdisjoint(code.co_names) or not TELLING.isdisjoint(code.co_varnames):
        return False
    if code.co_flags & GENERATORS and code.co_name != "<genexpr>":
        return False
    return all(is_plain(inner) for inner in code.co_consts if type(inner) is CODE)


def load(command: "dict[str, Any]", path: str, results: int) -> Program:
    """Compiles the program and tells the server: "L" where it did, "A", a length and the code
    where that is asked for, "C" and what is wrong with it where it did not."""
    try:
        program = Program(command, path)
    except COMPILE_ERRORS as error:
        from traceback import format_exception_only

        text = "".join(format_exception_only(type(error), error))
        write_all(results, b"C" + text.encode("utf-8", "replace")[:MAX_DIAGNOSTICS])
        os._exit(0)
    if command["keep"]:
        codes = marshal.dumps(program.codes)
        write_all(results, b"A" + len(codes).to_bytes(4, "little") + codes)
    else:
        os.write(results, b"L")
    return program


def write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


# ---- one run: from here on in the forked process ---------------------------------------------


def read_command(fd: int) -> "dict[str, Any]":
    data = os.read(fd, SMALL_COMMAND)
    size = int.from_bytes(data[:4], "little") + 4
    if len(data) < size:
        pieces = [data]
        left = size - len(data)
        while left:
            pieces.append(os.read(fd, min(left, 1 << 20)))
            left -= len(pieces[-1])
        data = b"".join(pieces)
    command: dict[str, Any] = marshal.loads(memoryview(data)[4:])
    return command


def set_limits(command: "dict[str, Any]") -> None:
    """Those that differ from the zygote's own; 0 is none."""
    for resource_, name in (
        (resource.RLIMIT_CPU, "cpu_limit"),
        (resource.RLIMIT_FSIZE, "file_limit"),
        (resource.RLIMIT_NPROC, "process_limit"),
    ):
        if command[name]:
            resource.setrlimit(resource_, (command[name],) * 2)
    if stack := command["stack_limit"]:
        _, most = resource.getrlimit(resource.RLIMIT_STACK)
        if most != resource.RLIM_INFINITY:
            stack = min(stack, most)
        resource.setrlimit(resource.RLIMIT_STACK, (stack, most))


def start_run(
    fds: list[int], prepared: Prepared, hooks: Hooks, guard: "Guard | None"
) -> "NoReturn":
    """Shuts itself off from the zygote, runs the program, and ends the process."""
    dup2, close = os.dup2, os.close
    stdin, stdout, stderr, link = fds
    dup2(stdin, 0)
    dup2(stdout, 1)
    dup2(stderr, 2)
    dup2(link, RESULT_FD, False)
    close(stdin)
    close(stdout)
    close(stderr)
    close(link)
    os.setsid()
    command = read_command(RESULT_FD)
    if command["limited"]:
        set_limits(command)
    if run_id := command["run_id"]:
        os.setresgid(run_id, run_id, run_id)
        os.setresuid(run_id, run_id, run_id)
    elif guard is not None:
        guard.in_child()
    os.chdir(command["tmp"])
    program = load(command, prepared.path, RESULT_FD)
    what = command["do"]
    sys.argv += command["argv"]
    if what == "input":
        os.close(RESULT_FD)
    if not program.plain:
        write_program(program, prepared.path)
    hooks.in_child(program)
    module = prepared.module(what)
    if what == "input":
        known = len(sys.modules)
        code = run_codes(program, module.__dict__) or 0
        plain = program.plain and len(sys.modules) == known
        if plain or not program.finalise:
            leave_early(code, plain)
        raise SystemExit(code)
    if what == "snippet":
        run_snippet(program, module, command)
    run_calls(program, module, command)


def write_program(program: Program, path: str) -> None:
    """Where tracebacks, and programs that look at themselves, find it."""
    fd = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o644)
    os.write(fd, program.text)
    os.close(fd)


def run_codes(program: Program, namespace: "dict[str, Any]") -> int | None:
    """Runs the program as CPython runs a script, up to but without the shutdown.

    Returns None when its end was reached, otherwise the exit code; SystemExit with anything but
    a number goes on to the interpreter.
    """
    try:
        for code in program.codes:
            exec(code, namespace)  # noqa: S102 (this is what the jail is for)
    except SystemExit as error:
        if error.code is None:
            return 0
        if type(error.code) is int:
            return error.code
        raise
    except BaseException as error:  # noqa: BLE001 (reported as the interpreter would)
        if program.plain:
            write_program(program, namespace["__file__"])
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


def leave_early(code: int, plain: bool) -> None:
    """Ends the process by the visible steps of the shutdown; returns where that is not enough.

    `plain`: the program has no TELLING name and imported nothing new, so it has left no thread,
    function to call at exit, or object to finalise.
    """
    if not plain:
        threading = sys.modules.get("threading")
        if threading is not None:
            threading._shutdown()
        atexit._run_exitfuncs()
    try:
        if (id(sys.stdout), id(sys.stderr)) != STREAMS or (not plain and leaves_finalisers()):
            return
        sys.stdout.flush()
        sys.stderr.flush()
    except Exception:  # noqa: BLE001
        return  # the interpreter does the same again, and reports it as it should be
    os._exit(code & 0xFF)


def leaves_finalisers() -> bool:
    """Whether something is left whose destruction could be noticed: it has a __del__, as every
    file and every generator has."""
    if (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > MAX_LOOKED_AT
        or "ctypes" in sys.modules
    ):
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
    namespace, write, execute, compiled = module.__dict__, os.write, exec, compile
    codes, nonce = list(program.codes), command["nonce"]
    try:
        for code in codes:
            execute(code, namespace)
        # A test's own `if __name__ == "__main__":` must be run, or it would pass without it.
        namespace["__name__"] = "__main__"
        text = command["code"].encode()
        execute(compiled(text, "/tmp/test.py", "exec", dont_inherit=True), namespace)
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


def make_encoder() -> "Callable[[object, int], tuple[str, bool]]":
    """The function from value to JSON text, and whether a tuple is below its top. Holds all it
    needs, so that nothing that the program replaces in builtins or json changes what it does."""
    from _json import encode_basestring_ascii as quote

    exact, integer, floating, length = type, int.__repr__, float.__repr__, len
    int_, float_, str_, list_, tuple_, dict_ = int, float, str, list, tuple, dict
    items, members, descends = dict.items, tuple.__iter__, type.__subclasscheck__
    join, no_form, too_long = "".join, NoExactForm, TooLong
    digits, unlimited = sys.get_int_max_str_digits, sys.set_int_max_str_digits
    infinity, deepest = float("inf"), MAX_DEPTH

    def encode(value: object, limit: int) -> tuple[str, bool]:
        pieces: list[str] = []
        add = pieces.append
        total, inner_tuples = 0, False

        def walk(value: "Any", depth: int) -> None:
            nonlocal total, inner_tuples
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
                    inner_tuples |= base is tuple_ and depth > 0
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
        return join(pieces), inner_tuples

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

    Kinds: "R" returned, "T" the same with a tuple below the top of the value, "X" raised, "O" value
    too long.
    """
    encode, loads, write, leave = make_encoder(), marshal.loads, os.write, os._exit
    cpu_clock, wall_clock, getpid = time.process_time_ns, time.monotonic_ns, os.getpid
    nonce, limit, stop = command["nonce"], command["output_limit"], command["stop"]
    calls, entry_point, truths = command["calls"], command["entry_point"], command["truths"]
    pid, base, fd, count, to_bytes = getpid(), BaseException, RESULT_FD, len, int.to_bytes
    no_form, too_long, describe, truth = NoExactForm, TooLong, describe_error, bool

    def report(index: int, kind: bytes, cpu: int, wall: int, text: bytes) -> None:
        if getpid() != pid:  # the function forked, and its child came back here
            leave(1)
        data = nonce + to_bytes(index, 4, "little") + kind + to_bytes(cpu, 8, "little")
        data += to_bytes(wall, 8, "little") + to_bytes(count(text), 4, "little") + text
        sent = 0
        while sent < count(data):
            sent += write(fd, data[sent:] if sent else data)

    code = run_codes(program, module.__dict__)
    if code is not None:
        raise SystemExit(code)
    find = resolve(module.__dict__, entry_point, command["function_only"])
    for index in range(count(calls)):
        cpu, wall = cpu_clock(), wall_clock()
        kind = b"X"
        try:
            if find is None:
                raise NameError(f"the program defines no entry point '{entry_point}'")
            value = find()(*loads(calls[index]))
            told, inner_tuples = encode(truth(value) if index in truths else value, limit)
            text, kind = told.encode("ascii"), b"T" if inner_tuples else b"R"
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
    """Type and message, capped; a message that cannot be told is left out. Nothing that the
    program defines or replaces is called outside of the `try`."""
    name: str = TYPE_NAME(KIND(error))
    try:
        message = str(error)
        text = f"{name}: {message}" if message else name
        return text[:MAX_ERROR].encode("utf-8", "replace")
    except BaseException:  # noqa: BLE001 (the program's own __str__)
        return name.encode("utf-8", "replace")


if __name__ == "__main__":
    main(globals()["OPTIONS"])
