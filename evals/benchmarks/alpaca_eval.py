"""AlpacaEval 2.0: how often a judge prefers a response to GPT-4 Turbo's, raw and at equal length.

Protocol and figures are tatsu-lab/alpaca_eval's at cd543a1: the judge of
evaluators_configs/weighted_alpaca_eval_gpt4_turbo, metrics/winrate.py and metrics/glm_winrate.py.
Its instructions, answers and texts come from the user's own copy (CC BY-NC 4.0). The judge names
the better of "m" and "M"; with the probabilities of both, a preference is that of the model's, else
0 or 1. Which of the two comes first is drawn from the instruction.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evals.benchmark import Graded, Message, Question, Sample, Tools, r1, user
from evals.data import Data, DataMissing
from evals.judged import Asking, JudgeFailed, Unreadable, Weighing, ask, benchmark, column, scored
from evals.model import Model, ModelError, NoLogprobs
from evals.records import digest

PLACE = "alpaca_eval2"
BASELINE = f"{PLACE}/alpaca_eval_gpt4_baseline.json"
GET_BASELINE = (
    "alpaca_eval_gpt4_baseline.json of the data set tatsu-lab/alpaca_eval, revision "
    "2edc6fad8be6b14ea7230aabfd08188da6b8b814"
)
PROMPT = f"{PLACE}/alpaca_eval_clf.txt"
GET_PROMPT = (
    "src/alpaca_eval/evaluators_configs/alpaca_eval_clf_gpt4_turbo/alpaca_eval_clf.txt of "
    "tatsu-lab/alpaca_eval at cd543a1, or of an installed alpaca_eval"
)
GAMED = f"{PLACE}/df_gamed.csv"
"""df_gamed.csv of the data set tatsu-lab/alpaca_eval, for the official length control."""

ASKING = Asking(temperature=0.0, max_tokens=16_384)
NAMES = ("m", "M")
"""Of the first and the second output in the prompt."""

SEED, FOLDS, GAMED_WEIGHT = 123, 5, 0.2
"""glm_winrate.py's; the weight is shared by the two gamed baselines."""

_TURN = re.compile(r"<\|im_start\|>(system|user|assistant)\n(.*?)\n?<\|im_end\|>", re.DOTALL)
_PLACES = re.compile(r"\{(instruction|output_1|output_2)\}")


@dataclass(frozen=True)
class Comparison:
    """One instruction's outcome."""

    preference: float
    """For the model over the baseline, in [0, 1]."""
    baseline_chars: int
    model_chars: int
    difficulty: float | None = None
    """The instruction's, as the leaderboard's models found it."""
    gamed: tuple[tuple[float, float], ...] = ()
    """(Preference, scaled difference of lengths) of models made to game the judge by length."""


def messages(prompt: str, instruction: str, first: str, second: str) -> tuple[Message, ...]:
    """The judge's conversation. Raises DataMissing where the template is none of ChatML."""
    values = {"instruction": instruction, "output_1": first, "output_2": second}

    def fill(text: str) -> str:
        return _PLACES.sub(lambda place: values[place[1]], text)

    turns = _TURN.findall(prompt)
    if not turns or {place[1] for place in _PLACES.finditer(prompt)} != values.keys():
        raise DataMissing(f"{PROMPT}: not the template that is meant; {GET_PROMPT}")
    return tuple(Message(role, fill(text)) for role, text in turns)


def choice(text: str) -> int:
    """0 for the first output, 1 for the second. Raises Unreadable."""
    said = text.strip().strip("\"'`.*")
    if said not in NAMES:
        raise Unreadable(f"neither m nor M and nothing else: {text[:200]!r}")
    return NAMES.index(said)


def weighed(logprobs: Mapping[str, float]) -> float:
    """The first output's probability among the two. Raises JudgeFailed without either's."""
    first, second = (exp(logprobs[name]) if name in logprobs else 0.0 for name in NAMES)
    if first + second == 0.0:
        raise JudgeFailed(f"neither m nor M among the likely tokens: {sorted(logprobs)}")
    return first / (first + second)


async def _first_token(judge: Model | None, told: Sequence[Message]) -> Mapping[str, float]:
    """Empty for a judge that tells no probabilities: it is asked for its choice instead."""
    if not isinstance(judge, Weighing):
        return {}
    try:
        return await judge.first_token(told)
    except NoLogprobs:
        return {}
    except ModelError as error:
        raise JudgeFailed(f"the judge: {error}") from error


async def grade(question: Question, response: str, tools: Tools) -> Graded:
    """The preference for the model. An empty response is judged like any other."""
    baseline, asked = question.data["baseline"], question.messages[-1].content
    model_first = int(digest(["alpaca_eval", asked]), 16) % 2 == 0
    pair = (response, baseline) if model_first else (baseline, response)
    told = messages(question.data["prompt"], asked, *pair)
    evidence: dict[str, Any] = {"model_chars": len(response), "model_first": model_first}
    likely = await _first_token(tools.judge, told)
    if likely:
        first = weighed(likely)
    else:
        said = await ask(tools, told, ASKING, choice)
        first = 1.0 - said.verdict
        evidence |= {"judge": said.text, "tries": said.tries}
    evidence["weighed"] = bool(likely)
    preference = first if model_first else 1 - first
    return Graded("ok" if response else "no_answer", preference, evidence=evidence)


def aggregate(samples: Sequence[Sample]) -> dict[str, float]:
    """Win rates of the samples that the judge has a preference for, in [0, 1]: raw, of whole wins,
    and at equal length. `length_controlled` is the leaderboard's, where the user's copy has what it
    needs; `length_controlled_minimal` knows nothing of how hard an instruction is."""
    compared = [
        Comparison(
            preference=sample.graded.score or 0.0,
            baseline_chars=len(sample.question.data["baseline"]),
            model_chars=sample.graded.evidence["model_chars"],
            difficulty=sample.question.data["difficulty"],
            gamed=sample.question.data["gamed"],
        )
        for sample in scored(samples)
    ]
    if not compared:
        return {}
    figures = {
        "win_rate": fmean(one.preference for one in compared),
        "discrete_win_rate": discrete(one.preference for one in compared),
        "chars": fmean(one.model_chars for one in compared),
    }
    if len(compared) >= FOLDS:
        figures["length_controlled_minimal"] = length_controlled(compared, minimal=True)
        if all(one.difficulty is not None for one in compared):
            figures["length_controlled"] = length_controlled(compared, minimal=False)
    return figures


def discrete(preferences: Iterable[float]) -> float:
    """The share of preferences above a half, and half of the ties."""
    return fmean(0.5 if one == 0.5 else float(one > 0.5) for one in preferences)


def length_controlled(compared: Sequence[Comparison], *, minimal: bool) -> float:
    """The win rate that a logistic model predicts where both outputs are of one length.

    Preference ~ tanh(difference of lengths over its standard deviation) + difficulty + constant,
    fitted with an L1 penalty that cross-validation chooses (glm_winrate.py, length_controlled_v1;
    `minimal`: its length_controlled_minimal, without difficulty and gamed baselines). At least
    FOLDS comparisons.
    """
    apart = np.array([one.baseline_chars - one.model_chars for one in compared], float)
    spread = apart.std(ddof=1)
    rows = [np.tanh(apart / spread) if spread > 0 else apart, np.ones(len(compared))]
    if not minimal:
        rows.insert(1, np.array([one.difficulty for one in compared], float))
    features = np.column_stack(rows)
    wanted = np.array([one.preference for one in compared])
    at_equal = features.copy()
    at_equal[:, 0] = 0.0
    weights = np.ones(len(compared))
    if not minimal:
        # The official order, which decides who shares a fold: gamed baselines come first, one
        # after the other.
        extra = np.array(
            [
                (np.tanh(one.gamed[place][1]), one.difficulty, 0.0, one.gamed[place][0])
                for place in range(max(len(one.gamed) for one in compared))
                for one in compared
                if place < len(one.gamed)
            ],
            float,
        )
        if len(extra):
            features = np.vstack([extra[:, :3], features])
            wanted = np.concatenate([extra[:, 3], wanted])
            weights = np.concatenate([np.full(len(extra), GAMED_WEIGHT / 2), weights])
    return _predicted(features, wanted, weights, at_equal)


def _predicted(
    features: NDArray[np.float64],
    wanted: NDArray[np.float64],
    weights: NDArray[np.float64],
    at_equal: NDArray[np.float64],
) -> float:
    """Mean of the model's predictions. A soft label is two rows, one of either outcome."""
    import sklearn
    from sklearn.linear_model import LogisticRegressionCV
    from sklearn.metrics import get_scorer
    from sklearn.model_selection import GroupKFold

    count = len(wanted)
    both = np.vstack([features, features])
    outcome = np.repeat([1, 0], count)
    soft = np.concatenate([wanted, 1 - wanted]) * np.concatenate([weights, weights])
    folds = list(GroupKFold(FOLDS).split(both, outcome, np.tile(np.arange(count), 2)))
    with sklearn.config_context(enable_metadata_routing=True):
        model = LogisticRegressionCV(
            cv=folds,
            scoring=get_scorer("neg_log_loss").set_score_request(sample_weight=True),
            l1_ratios=(1.0,),
            use_legacy_attributes=False,
            solver="liblinear",
            fit_intercept=False,
            random_state=SEED,
        )
        model.set_fit_request(sample_weight=True)
        model.fit(both, outcome, sample_weight=soft)
    return float(model.predict_proba(at_equal)[:, 1].mean())


def load(data: Data) -> list[Question]:
    """The 805 instructions, numbered as they stand in the file. Raises DataMissing."""
    prompt = data.text(PROMPT, get=GET_PROMPT)
    try:
        rows = json.loads(data.text(BASELINE, get=GET_BASELINE))
    except ValueError as error:
        raise DataMissing(f"{BASELINE}: {error}; {GET_BASELINE}") from error
    gamed = _gamed(data)
    questions = []
    for number, row in enumerate(rows):
        place = f"{BASELINE}, row {number}"
        told = gamed.get(number, [])
        asked = user(column(row, "instruction", place))
        output = column(row, "output", place)
        messages(prompt, "", "", "")
        questions.append(
            Question(
                str(number),
                asked,
                slices={"dataset": row["dataset"]} if row.get("dataset") else {},
                data={
                    "prompt": prompt,
                    "baseline": output,
                    "difficulty": float(told[0]["instruction_difficulty"]) if told else None,
                    "gamed": tuple(
                        (float(one["preference"]), float(one["std_delta_len"])) for one in told
                    ),
                },
            )
        )
    return questions


def _gamed(data: Data) -> dict[int, list[dict[str, str]]]:
    """Rows of the gamed baselines by instruction; none where the user has no such file."""
    if not data.has(GAMED):
        return {}
    found: dict[int, list[dict[str, str]]] = {}
    for row in csv.DictReader(io.StringIO(data.text(GAMED, get=""))):
        found.setdefault(int(row["index"]), []).append(row)
    return found


BENCHMARKS = (
    benchmark(
        name="alpaca_eval",
        title="AlpacaEval 2.0",
        source="Dubois et al., arXiv 2404.04475, Apache-2.0, data CC BY-NC 4.0; its protocol "
        "(cd543a1), baseline and judge gpt-4-1106-preview",
        load=load,
        protocols=(r1(1),),
        grade=grade,
        aggregate=aggregate,
        headline="win_rate",
    ),
)
