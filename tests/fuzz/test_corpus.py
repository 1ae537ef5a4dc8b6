"""Every input the fuzzer kept, without the fuzzer."""

from pathlib import Path

import pytest

from tests.fuzz.answers import Slow, one_input

CORPUS = sorted((Path(__file__).parent / "corpus").iterdir())


def test_there_is_a_corpus() -> None:
    assert len(CORPUS) >= 100


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name[:12])
def test_invariants_hold(path: Path) -> None:
    data = path.read_bytes()
    try:
        one_input(data, slack=2.0)
    except Slow:
        # CPU time holds what else the process does, such as collecting the garbage of all tests
        # before; an input that is slow is so again.
        one_input(data, slack=2.0)
