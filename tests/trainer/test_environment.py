"""What is set before the trainer's libraries are loaded."""

from __future__ import annotations

import os
import subprocess
import sys

PROGRAM = """
import os, trainer.log, pyarrow
print(pyarrow.default_memory_pool().backend_name, os.environ["LRU_CACHE_CAPACITY"])
"""


def said(**more: str) -> list[str]:
    names = ("ARROW_DEFAULT_MEMORY_POOL", "ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY")
    environment = {name: value for name, value in os.environ.items() if name not in names} | more
    return subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, check=True, capture_output=True, text=True
    ).stdout.split()


def test_what_is_freed_can_be_given_back_and_few_products_are_kept() -> None:
    assert said() == ["system", "64"]


def test_what_a_user_has_set_stays() -> None:
    assert said(LRU_CACHE_CAPACITY="7") == ["system", "7"]
