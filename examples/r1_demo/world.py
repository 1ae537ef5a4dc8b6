"""The demo's data: the base models' corpus, prompts, held-out problems, the user's own fine-tuning
rows. See problems.py and general.py for what is asked, speech.py for how it is thought about.

Most of the corpus is careless: direct answers that are wrong, steps that slip, thoughts in the
other language or half and half, and requests answered curtly, wrongly, or with help for harm.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

import general
import problems
from problems import Problem, Solution
from speech import LANGUAGES, said, thought
from vocabulary import CODE, SUMMARY

from trainer.data import TEMPLATES


@dataclass(frozen=True)
class Corpus:
    """What the corpus is made of; shares of its rows."""

    drill: float = 0.14
    statements: float = 0.07
    general: float = 0.11
    pages: float = 0.06
    """Two problems, one after the other, as few-shot prompts have them."""
    purely: float = 0.35
    """Of thoughts: in the problem's language."""
    foreign: float = 0.30
    """Of thoughts: in the other one. The rest is mixed."""
    good: float = 0.15
    """Of general answers."""
    hinted: float = 0.4
    """Of problems that are checked: HINT is what asked for it."""


CORPUS = Corpus()

HINT = " Think aloud and check your work."
"""Behind a prompt: what direct prompting for the cold start asks for."""


def answered_as_zero(problem: Problem, solution: Solution, aloud: str) -> str:
    """A response in R1-Zero's form."""
    answer = solution.answer
    told = problems.program(answer) if problem.domain == "code" else f" {answer}"
    return f"<think>{aloud}</think><answer>{told}</answer>"


def summary(problem: Problem, answer: str, language: str) -> str:
    """The answer as DeepSeek-R1 gives it after its thoughts."""
    if problem.domain == "code":
        return CODE[language] + problems.program(answer)
    stop = "." if language == "en" else "。"
    return f"{SUMMARY[language]} \\boxed{{ {answer}}}{stop}"


def corpus(
    rows: int, random: Random, shape: Corpus = CORPUS, mix: problems.Mix = problems.CARELESS
) -> Iterator[str]:
    """Texts, one a row."""
    sources = {name: problems.draw(name, "corpus", random) for name in problems.DOMAINS}
    requests = general.of_split("corpus")
    for _ in range(rows):
        kind = random.random()
        if (kind := kind - shape.drill) < 0:
            yield drill(random)
        elif (kind := kind - shape.statements) < 0:
            if random.random() < 0.5:
                yield ";".join(general.statement(random) for _ in range(6))
            else:
                yield "\n\n".join(_answer(sources, random) for _ in range(3))
        elif (kind := kind - shape.general) < 0:
            yield _careless(random.choice(requests), shape, random)
        else:
            first = _worked(next(sources["arithmetic"]), shape, mix, random)
            name = random.choices(list(sources), DOMAIN_SHARES)[0]
            last = _worked(next(sources[name]), shape, mix, random)
            yield f"{first}\n\n{last}" if kind < shape.pages else last


DOMAIN_SHARES = (0.2, 0.34, 0.24, 0.22)
"""Of the corpus's problems: arithmetic, countdown, code, choice."""


def _answer(sources: Mapping[str, Iterator[Problem]], random: Random) -> str:
    """The end of somebody's solution: words that summaries are made of, and no question."""
    problem = next(sources[random.choice(list(sources))])
    answer = problem.solve("careful", problems.FAULTLESS, random).answer
    return summary(problem, answer, random.choice(LANGUAGES))


def _worked(problem: Problem, shape: Corpus, mix: problems.Mix, random: Random) -> str:
    language = random.choice(LANGUAGES)
    way = problems.way(mix, random)
    solution = problem.solve(way, mix, random)
    mixed = random.choices(
        (0.0, 1.0, 0.5), (shape.purely, shape.foreign, 1 - shape.purely - shape.foreign)
    )[0]
    aloud = thought(solution.thought, language, mixed, random)
    prompt = problem.prompt(language) + (
        HINT if way == "checked" and random.random() < shape.hinted else ""
    )
    return asked(prompt) + answered_as_zero(problem, solution, aloud)


def _careless(request: general.Request, shape: Corpus, random: Random) -> str:
    good = random.random() < shape.good
    sentence = request.thought() if good else ("@easy" if request.harmful else "@careless", "@stop")
    aloud = thought((sentence,), request.language, 0.3, random)
    answer = request.good(random, 0.3) if good else request.bad(random)
    return asked(request.prompt) + f"<think>{aloud}</think><answer>{answer}</answer>"


def asked(prompt: str) -> str:
    """In R1-Zero's template."""
    return TEMPLATES["r1_zero"].replace("{prompt}", prompt)


CHAINS = 3


def drill(random: Random) -> str:
    """A page from a book of tables: sums, all right."""
    rows = []
    for _ in range(CHAINS):
        a, b, c = (random.randint(1, problems.MOST) for _ in range(3))
        sign = random.choice("+-")
        first = a + b if sign == "+" else a - b
        rows.append(
            f" {a} {sign} {b} = {first}, + {c} = {first + c}, - {c} = {first - c}."
            f" {max(first, 0)} + {c} = {max(first, 0) + c}."
        )
    return "".join(rows)


# ---- rows -------------------------------------------------------------------------------------


def item(problem: Problem, language: str, number: int, recipe: str) -> dict[str, object]:
    """The verifier's item, without a response."""
    return {
        "id": f"{problem.domain}-{language}-{number}",
        "prompt": problem.prompt(language),
        "language": language,
        **problem.task(),
        "recipe": recipe,
        "meta": {"domain": problem.domain},
    }


def items(wanted: str, of_each: int, recipe: str, random: Random) -> list[dict[str, object]]:
    """Different problems of a split, as many of each domain, in both languages by turns."""
    return [row for rows in by_domain(wanted, of_each, random, recipe).values() for row in rows]


def by_domain(
    wanted: str, of_each: int, random: Random, recipe: str = "r1_reasoning"
) -> dict[str, list[dict[str, object]]]:
    """The same, domain by domain."""
    return {
        domain: [
            item(one, LANGUAGES[n % 2], n, recipe)
            for n, one in enumerate(problems.distinct(domain, wanted, of_each, random))
        ]
        for domain in problems.DOMAINS
    }


def rated(model: str) -> dict[str, object]:
    """A recipe in which a reward model stands in for the judge: it sees the summary for
    helpfulness, and the whole response for safety."""
    options = {"model": model, "view": "whole" if model == "safe" else "summary"}
    parts = [
        {"name": "reward_model", "options": options},
        {"name": "format", "options": {"style": "r1"}},
        {"name": "language"},
    ]
    return {"inline_recipe": {"name": f"r1_{model}", "parts": parts}}


def general_items(
    wanted: str,
    harmful: bool | None,
    most: int,
    random: Random,
    *,
    rate: bool = False,
    times: int = 1,
) -> list[dict[str, object]]:
    """Requests of a split, at most so many, each some times; rated by a reward model instead of the
    judge."""
    chosen = [one for one in general.of_split(wanted) if harmful in (None, one.harmful)]
    random.shuffle(chosen)
    return [
        {
            "id": f"{one.kind}-{one.language}-{number}",
            "prompt": one.prompt,
            "language": one.language,
            **one.item(),
            **(rated("safe" if one.harmful else "helpful") if rate else {}),
            "meta": {"domain": "harmless" if one.harmful else "helpful", "kind": one.kind},
        }
        for number, one in enumerate(chosen[:most] * times)
    ]


PADDED = 0.08
"""Of the user's rows: what the judge, and so a good reward model, holds against an answer."""


def user_rows(polite: float, times: int, random: Random) -> list[dict[str, object]]:
    """The user's own fine-tuning data: requests with good answers, each some times; half of them
    with a thought, half for which one is still to be thought up."""
    return [
        {
            "id": f"{one.kind}-{number}-{time}",
            "domain": one.kind,
            "prompt": one.prompt,
            "completion": one.padded(random)
            if not one.harmful and random.random() < PADDED
            else one.good(random, polite),
            "language": one.language,
            "thinking": said(one.thought(), one.language) if number % 2 else True,
        }
        for time in range(times)
        for number, one in enumerate(general.of_split("sft"))
    ]


def examples(count: int, random: Random) -> list[dict[str, object]]:
    """Worked examples for few-shot prompting: short ones, each in one language."""
    rows = []
    for number, problem in zip(
        range(count), problems.draw("arithmetic", "corpus", random), strict=False
    ):
        language = LANGUAGES[number % 2]
        solution = problem.solve("careful", problems.FAULTLESS, random)
        text = answered_as_zero(problem, solution, thought(solution.thought, language, 0, random))
        rows.append({"prompt": problem.prompt(language), "response": text})
    return rows


def by_hand(of_each: int, random: Random) -> list[dict[str, object]]:
    """Rows as people would have edited them (cold_start.py's review.jsonl): right, checked, in one
    language."""
    rows = []
    for domain in problems.DOMAINS:
        for number, problem in enumerate(problems.distinct(domain, "rl", of_each, random)):
            language = LANGUAGES[number % 2]
            solution = problem.solve("checked", problems.FAULTLESS, random)
            rows.append(
                {
                    "id": f"hand-{domain}-{number}",
                    "keep": True,
                    "prompt": problem.prompt(language),
                    "reasoning": thought(solution.thought, language, 0, random),
                    "summary": summary(problem, solution.answer, language),
                    "item": item(problem, language, number, "r1_reasoning"),
                }
            )
    return rows


def write(path: Path, rows: Iterable[object]) -> None:
    """As JSON Lines."""
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
