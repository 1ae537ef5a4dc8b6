from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.code.extract import blocks, find, last_fences, program
from verifier.v1 import verifier_pb2 as pb

A = "```python\nprint('a')\n```\n"
B = "```python\nprint('b')\n```\n"


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (A, "print('a')\n"),
        (A + "or rather\n" + B, "print('b')\n"),
        ("<think>" + A + "</think>" + B, "print('b')\n"),
        ("<think>" + A + "</think> no program here", None),
        ("<think>" + A, None),
        (A + "Output:\n```\nb\n```\n", "print('a')\n"),
        (A + "```text\nb\n```\n", "print('a')\n"),
        ("```\nprint('c')\n```", "print('c')\n"),
        ("```py\nprint(1)\n```", "print(1)\n"),
        ("```Python3\nprint(1)\n```", "print(1)\n"),
        ("```cpp\nint main(){}\n```", None),
        ("```python\nprint('cut off", "print('cut off"),
        ("~~~python\ns = '''\n```\n'''\n~~~", "s = '''\n```\n'''\n"),
        ("````python\nx = '''\n```\n'''\n````", "x = '''\n```\n'''\n"),
        ("    ```python\n    print(1)\n    ```", "print(1)\n"),
        ("- so:\n  ```python\n  if 1:\n      print(1)\n  ```", "if 1:\n    print(1)\n"),
        ("  ```python\nx = 1\n    y\n  ```", "x = 1\n  y\n"),
        ("<answer>```python\nprint(1)\n```</answer>", "print(1)\n"),
        ("<answer>\n```python\nprint(1)\n```</answer>", "print(1)\n"),
        ("<answer>\nprint(1)\n</answer>", "\n\nprint(1)\n\n"),
        ("import sys\nprint(sys.stdin.read())", "import sys\nprint(sys.stdin.read())"),
        ("I cannot solve this problem.", None),
        ("```\n```python\nprint(1)\n```\n```", "print(1)\n"),
        ("```python\ns = '''\n```python\n'''\n```", "s = '''\n```python\n'''\n"),
        ("Sorry", None),
        ("42", None),
        ("", None),
        ("```python\n\n```", None),
    ],
)
def test_program(response: str, expected: str | None) -> None:
    assert program(response, "python") == expected


@pytest.mark.parametrize(
    "line",
    [
        "```" + " " * 500_000 + "`",
        " " * 500_000,
        "`" * 500_000 + "x`",
        "```\n" * 200_000,
        "```python\nx\n" + "```a\n" * 200_000,
    ],
)
def test_a_megabyte_of_fences_costs_linear_time(line: str) -> None:
    started = time.process_time()
    program(line, "python")
    assert time.process_time() - started < 2.0


@pytest.mark.parametrize(
    "text", ["-" * 60_000 + "1", "(" * 60_000, "a" + "()" * 30_000, "x = 1\n" * 100_000, "a\0b"]
)
def test_text_that_no_parser_likes_is_no_program(text: str) -> None:
    assert program(text, "python") is None


@given(st.text(alphabet="`~a\n python", max_size=60))
def test_blocks_are_parts_of_the_text(text: str) -> None:
    assert all(block.text in text for block in blocks(text))


@pytest.mark.parametrize("response", ["`````\n{}```\n", "```\n{}```x\n", "{}", "```python\n{}"])
def test_hostile_fences_take_linear_time(response: str) -> None:
    def seconds(size: int) -> float:
        text = response.format("\n" * size) + "```\n" * (size // 4) + "```x\n" * (size // 4)
        began = time.process_time()
        find(text, "python")
        return time.process_time() - began

    assert seconds(200_000) < 20 * seconds(25_000) + 0.5


def test_another_language_and_a_block_of_text() -> None:
    assert find("```java\nclass A {}\n```", "python").other_language == "java"
    assert find("```text\nblah\n```", "python").other_language == ""


def test_last_fences() -> None:
    rule = pb.CodeTask.LAST_FENCES
    text = "```python\na\n```\nor\n```\nb\n```"
    assert find(text, "python", rule).program == "b"
    assert find("```python\nb", "python", rule).program is None
    assert last_fences("x ``` y\nmiddle\n```") == "middle"
