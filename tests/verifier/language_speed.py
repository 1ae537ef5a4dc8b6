"""How many responses of 2 KB a second does one core count? `python -m tests.verifier.language_speed`"""

from __future__ import annotations

import random
import time

from tests.verifier.language_texts import NOT_WORDS, SENTENCES, plain
from verifier.language import share

SIZE = 2_048
RESPONSES = 300


def responses(language: str, number: int) -> list[str]:
    """Different texts of `SIZE` bytes in one language, with LaTeX and code strewn in."""
    rng = random.Random(language)
    texts = []
    for _ in range(number):
        text = ""
        while len(text.encode()) < SIZE:
            text += plain(rng.choice(SENTENCES[language])) + rng.choice((" ", "\n"))
            text += rng.choice(NOT_WORDS) + " " if rng.random() < 0.2 else ""
        texts.append(text.encode()[:SIZE].decode(errors="ignore"))
    return texts


def main() -> None:
    for language in SENTENCES:
        texts = responses(language, RESPONSES)
        share(texts[0], language)
        started = time.process_time()
        for text in texts:
            share(text, language)
        print(f"{language} {RESPONSES / (time.process_time() - started):8,.0f} responses/s")


if __name__ == "__main__":
    main()
