"""Every input the fuzzer kept, without the fuzzer."""

from pathlib import Path

import pytest

from tests.fuzz.answers import one_input

CORPUS = sorted((Path(__file__).parent / "corpus").iterdir())


def test_there_is_a_corpus() -> None:
    assert len(CORPUS) >= 100


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name[:12])
def test_invariants_hold(path: Path) -> None:
    one_input(path.read_bytes(), slack=2.0)
