"""Bash programs from end to end."""

from __future__ import annotations

import pytest

from sandbox.client import EmbeddedSandbox
from tests.sandbox.languages.conftest import NUMBERS, TOTAL, UNICODE, Programs, exited

pytestmark = pytest.mark.asyncio(loop_scope="module")

SUM = """
read -r n
sum=0
for ((i = 0; i < n; )); do
  read -r -a words || break
  for word in "${words[@]}"; do ((sum += word, i += 1)); done
done
echo "$sum"
"""
FEATURES = """
set -euo pipefail
declare -A counts=()
while read -r line; do
  for word in $line; do counts[$word]=$((${counts[$word]:-0} + 1)); done
done
for word in "${!counts[@]}"; do echo "$word ${counts[$word]}"; done | sort -k2,2nr -k1,1
text="hello world"
echo "${text^^} ${text/world/there} ${#text} ${text:6:3}"
[[ $text =~ ^h(.*)o ]] && echo "${BASH_REMATCH[1]}"
printf '%s\\n' 10 9 8 | sort -n | head -1
cat <<< "here" | tr a-z A-Z
seq 1 5 | paste -sd+ | bc 2>/dev/null || echo "$((1 + 2 + 3 + 4 + 5))"
"""
DEEP = "deep() { (($1 == 0)) && { echo bottom; return; }; deep $(($1 - 1)); }; deep 1000"


@pytest.fixture
def bash(sandbox: EmbeddedSandbox) -> Programs:
    return Programs(sandbox, "bash")


async def test_sum(bash: Programs) -> None:
    result = await bash.result(SUM, b"3\n1 2 3\n", b"2\n4\n5\n")
    assert [o.stdout for o in result.outcomes] == [b"6\n", b"9\n"]
    assert result.toolchain.startswith("bash ")


async def test_large_input(bash: Programs) -> None:
    source = (
        "awk 'NR == 1 { n = $1 } NR > 1 && NR <= n + 1 { s += $1 } END { printf \"%.0f\\n\", s }'"
    )
    assert await bash.output(source, NUMBERS) == f"{TOTAL}\n"


async def test_features(bash: Programs) -> None:
    expected = "b 2\na 1\nHELLO WORLD hello there 11 wor\nello w\n8\nHERE\n15\n"
    assert await bash.output(FEATURES, b"b a\nb\n") == expected


async def test_unicode(bash: Programs) -> None:
    source = 'read -r line; echo "${line}é${#line}"'
    expected = f"{UNICODE}é{len(UNICODE)}\n"
    assert await bash.output(source, f"{UNICODE}\n".encode()) == expected


async def test_deep_recursion(bash: Programs) -> None:
    assert await bash.output(DEEP) == "bottom\n"


async def test_processes(bash: Programs) -> None:
    source = "for i in 1 2 3; do (sleep 0.01; echo $i) & done; wait; echo done"
    lines = (await bash.output(source)).split()
    assert sorted(lines[:3]) == ["1", "2", "3"]
    assert lines[3] == "done"


async def test_large_output(bash: Programs) -> None:
    assert len(await bash.output("seq 1000000 1999999")) == 8_000_000


async def test_exit_code(bash: Programs) -> None:
    assert exited(await bash.one("exit 7"), 7)
    assert exited(await bash.one("false"), 1)
    assert exited(await bash.one("set -e; false; echo no"), 1)


async def test_unknown_command(bash: Programs) -> None:
    outcome = await bash.one("echo x\nnothing-of-this-name")
    assert exited(outcome, 127)
    assert outcome.stdout == b"x\n"
    assert b"line 2: nothing-of-this-name: command not found" in outcome.stderr


async def test_syntax_error(bash: Programs) -> None:
    outcome = await bash.one("if true; then")
    assert exited(outcome, 2)
    assert b"syntax error" in outcome.stderr


async def test_files_in_tmp_are_gone_in_the_next_run(bash: Programs) -> None:
    result = await bash.result("pwd; ls | wc -l; echo x > kept; ls | wc -l", b"", b"")
    assert [o.stdout for o in result.outcomes] == [b"/tmp\n0\n1\n"] * 2
