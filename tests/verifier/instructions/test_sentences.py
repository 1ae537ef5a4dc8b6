from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.instructions import sentences, words


# By Punkt's English model, as IFEval counts.
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("No mark at all", 1),
        ("One. Two! Three?", 3),
        ("One.\nTwo.\n\nThree.", 3),
        ("One.Two.Three.", 1),
        ("  Leading and trailing.  \n", 1),
        ("Really?! Yes.", 2),
        ("Really?!", 2),
        ("Stop!! Now.", 2),
        ('He said "Stop." Then he left.', 2),
        ('"Stop!" he said.', 2),
        ("(All of it.) Then more.", 2),
        ("All of it (really.)", 1),
        ("**Bold.** Then more.", 2),
        ("**Bold.**", 2),
        ("Mr. Smith and Dr. Jones met.", 1),
        ("I saw Mr. It was late.", 2),
        ("In the U.S. Senate it failed.", 1),
        ("He lives in the U.S. However, she does not.", 2),
        ("At 5 p.m. we left.", 1),
        ("Smith Inc. is big. So is Jones Co. in a way.", 2),
        ("Well... maybe. Then... The end.", 3),
        ("Wait... Smith came.", 1),
        ("See fruit, e.g. apples, etc. Then stop.", 3),
        ("1. First\n2. Second", 3),
        ("1. first\n2. second", 1),
        ("It was 1862. in all", 1),
        ("It costs 3.50 now. Buy.", 2),
        ("J. R. Smith came.", 1),
        ("Take plan B. The other is worse.", 2),
        ("Take plan B. Smith agrees.", 1),
        ("Read http://a.b/c?d=e. Then answer.", 2),
        ("A half-inc. thing", 1),
        ("Yes. (No.) Perhaps.", 3),
        ("What? 'Yes.' No.", 3),
        ("End.-- Dash", 1),
        ("No space after,comma. Yes.", 2),
    ],
)
def test_sentences(text: str, expected: int) -> None:
    assert sentences.count(text) == expected


PLAIN = st.lists(
    st.tuples(
        st.sampled_from(["Dogs bark", "Some cats sleep all day", "Nobody, it seems, came"]),
        st.sampled_from(".?!"),
    ),
    min_size=1,
    max_size=8,
)


@given(PLAIN, st.sampled_from([" ", "\n", "\n\n", "  "]))
def test_plain_sentences_are_counted_one_by_one(parts: list[tuple[str, str]], space: str) -> None:
    assert sentences.count(space.join(text + mark for text, mark in parts)) == len(parts)


@given(st.text(alphabet="aA .?!\"')(*-1,:\n", min_size=1, max_size=60))
def test_no_more_sentences_than_marks(text: str) -> None:
    marks = sum(text.count(mark) for mark in ".?!")
    assert 0 <= sentences.count(text) <= 1 + marks
    assert sentences.count(f"A {text}") >= 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", 0), ("one", 1), ("don't", 2), ("a_b 3.5", 3), ("é ü 漢字", 3), ("-- ! --", 0)],
)
def test_words(text: str, expected: int) -> None:
    assert words.count(text) == expected


# By NLTK's word tokenizer, as IFEval counts.
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("A b C", 2),
        ("HELLO, WORLD!", 2),
        ("WELL-KNOWN A/B U.S.A. A.B", 4),
        ("DON'T I'M WE'LL THEY'VE", 8),
        ("don't I'm", 1),
        ("NASA's", 1),
        ("DOGS' 'TWAS O'CLOCK", 3),
        ("IT'S. IT'S", 4),
        ("DON’T", 2),
        ("CANNOT GONNA GOTTA GIMME LEMME MORE'N D'YE", 14),
        ("WANNA, WANNABE WANNA", 5),
        ("A,B C:D 1,000A E:1", 6),
        ("A--B C..D <E>F G—H", 8),
        ('*BOLD* "Q" (P) [Q] {R}', 5),
        ("A1 3D 123 É", 3),
        ("Word iPhone", 0),
    ],
)
def test_words_in_capitals(text: str, expected: int) -> None:
    assert words.count_capital(text) == expected
