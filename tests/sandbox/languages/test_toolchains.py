"""How languages are found, and what is built once for a host."""

from __future__ import annotations

import multiprocessing
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.languages import (
    bash,
    c,
    cpp,
    csharp,
    go,
    java,
    javascript,
    php,
    prepare,
    ruby,
    rust,
    typescript,
)
from sandbox.languages.base import Language, ToolchainMissing
from sandbox.languages.built import BuildFailed, Built, execute, key

# What finds a language, a command it needs and the Debian package that has it.
NEEDS: list[tuple[Callable[[], Language], str, str]] = [
    (cpp.find, "g++", "g++"),
    (c.find, "gcc", "gcc"),
    (java.find, "javac", "openjdk-17-jdk-headless"),
    (javascript.find, "node", "nodejs"),
    (typescript.find, "node", "nodejs"),
    (typescript.find, "esbuild", "esbuild"),
    (csharp.find, "mono", "mono-runtime"),
    (csharp.find, "mcs", "mono-mcs"),
    (php.find, "php", "php-cli"),
    (bash.find, "bash", "bash"),
    (go.find, "go", "golang-go"),
    (rust.find, "rustc", "rustc-web"),
    (rust.find, "cc", "gcc"),
    (ruby.find, "ruby", "ruby"),
]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache directory."""
    monkeypatch.setenv("TOUCHSTONE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize(("find", "command", "package"), NEEDS)
def test_a_missing_command_names_its_package(
    monkeypatch: pytest.MonkeyPatch, find: Callable[[], Language], command: str, package: str
) -> None:
    which = shutil.which

    def without(name: str, path: str | None = None) -> str | None:
        return None if name == command else which(name, path=path)

    monkeypatch.setattr(shutil, "which", without)
    with pytest.raises(ToolchainMissing) as missing:
        find()
    assert str(missing.value) == f"{command} is not installed (Debian package {package})"


@pytest.mark.parametrize("find", list(dict.fromkeys(find for find, _, _ in NEEDS)))
def test_what_a_language_shows_is_there(find: Callable[[], Language]) -> None:
    try:
        language = find()
    except ToolchainMissing as error:
        pytest.skip(str(error))
    assert all(Path(path).is_absolute() for path in language.shown)
    assert all(Path(path).exists() for path in language.shown)
    # A whole /etc or home directory would show more than the toolchain.
    assert not {"/", "/etc", "/root", "/home"} & set(language.shown)
    assert language.toolchain
    assert (language.compile is None) == (language.artifact_name == "")


def test_both_standards() -> None:
    assert [language.name for language in cpp.find_all()] == ["cpp", "cpp17"]


def test_nothing_is_ready_in_an_empty_cache(cache: Path) -> None:
    wanted = {built.name for built in (*cpp.builds(), *java.builds(), *go.builds())}
    assert {built.name for built in prepare.missing()} == wanted
    assert str(cache) not in str(cpp.find())


def test_a_cache_that_jails_hide_is_not_used(cache: Path) -> None:
    if not str(cache).startswith("/tmp/"):
        pytest.skip("the tests' directory is not below /tmp")
    cpp.precompiled("cpp").path.mkdir(parents=True)
    assert str(cache) not in str(cpp.find())
    with pytest.raises(ToolchainMissing, match="jails hide; set TOUCHSTONE_CACHE"):
        java.find()


def _fill(place: Path) -> None:
    (place / "part").mkdir(mode=0o700)
    (place / "part" / "file").write_text("whole")
    (place / "part" / "file").chmod(0o600)


def _break(place: Path) -> None:
    (place / "part").mkdir()
    raise BuildFailed("no")


def _count(place: Path) -> None:
    with (place.parent / "count").open("a") as count:
        count.write("x")


def test_what_is_built_is_readable_and_built_once(cache: Path) -> None:
    built = Built("thing", key("a"), _fill)
    assert not built.ready
    built.build()
    built.build()
    assert built.ready
    assert built.path.stat().st_mode & 0o777 == 0o755
    assert (built.path / "part").stat().st_mode & 0o777 == 0o755
    assert (built.path / "part" / "file").stat().st_mode & 0o777 == 0o644


def test_a_build_that_fails_leaves_nothing(cache: Path) -> None:
    built = Built("thing", key("a"), _break)
    with pytest.raises(BuildFailed):
        built.build()
    assert not built.ready
    assert [path.suffix for path in cache.iterdir()] == [".lock"]


def test_two_that_build_at_once_build_once(cache: Path) -> None:
    built = Built("thing", key("a"), _count)
    fork = multiprocessing.get_context("fork")
    processes = [fork.Process(target=built.build) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    assert (cache / "count").read_text() == "x"


def test_the_key_follows_the_content(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("one")
    first = key("flags", file)
    assert first == key("flags", file)
    file.write_text("two")
    assert len({first, key("flags", file), key("flag", file), key("flags", "two", "")}) == 4


def test_a_command_that_fails_says_why() -> None:
    with pytest.raises(BuildFailed, match="exited with 3: broken"):
        execute("sh", "-c", "echo broken >&2; exit 3")


def test_prepare_reports_what_fails(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = Built("good", "1", _fill), Built("bad", "1", _break)
    monkeypatch.setattr(prepare, "BUILDS", (lambda: (bad, good),))
    said: list[str] = []
    assert prepare.prepare(said.append) == ["bad: no"]
    assert good.ready
    assert len(said) == 2
    assert prepare.missing() == [bad]
