"""`touchstone-eval search`: tree searches on a benchmark's questions, graded as any answer is.

A question's search is one record, kept when it is done, so that a killed command goes on with the
next question. Plain votes at the same width are `run` with `--k` and `--strategy`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.progress import Progress

from evals.benchmark import Benchmark, Question
from evals.model import Sampling
from evals.records import Key, Records, Searched, digest, prompt_hash
from evals.run import Plan, extras_of, load, protocol_of
from evals.service import connect
from evals.statistics import Estimate
from evals.strategies import Strategy, StrategyError
from evals.strategies.mcts import Mcts
from evals.strategies.rebase import Rebase
from evals.strategies.solve import Solved, figure, solve
from evals.strategies.steps import ChatSteps, ServiceScorer, StepModel, StepScorer

SEARCHES: Mapping[str, Callable[[StepModel, StepScorer, int], Strategy]] = {
    "rebase": Rebase,
    "mcts": Mcts,
}


@dataclass(frozen=True)
class Search:
    """How solutions are grown."""

    name: str
    """rebase:WIDTH (solutions) or mcts:BUDGET (steps)."""
    recipe: str
    """The service's, whose part scores beginnings."""
    part: str = "reward_model"
    opening: str = "<think>\n"
    """How every solution begins."""
    step_tokens: int = 1024
    """The most of one step."""

    def strategy(self, model: StepModel, scorer: StepScorer) -> Strategy:
        """Raises StrategyError."""
        kind, _, size = self.name.partition(":")
        if kind not in SEARCHES or not (size.isascii() and size.isdecimal() and int(size)):
            raise StrategyError(f"--strategy: rebase:WIDTH or mcts:BUDGET, got {self.name!r}")
        return SEARCHES[kind](model, scorer, int(size))

    def done(self, text: str) -> bool:
        """Whether there is a final answer; what is boxed while thinking is none."""
        thinks = self.opening.lstrip().startswith("<think>")
        _, ended, final = text.rpartition("</think>")
        return "\\boxed{" in final and (bool(ended) or not thinks)


async def search(
    plan: Plan, benchmark: Benchmark, how: Search, verifier: str, console: Console
) -> tuple[Estimate, float]:
    """The score to expect of the searches' answers, and the share of questions without one. Raises
    what its parts raise."""
    assert plan.model is not None
    questions = load(plan, benchmark)
    protocol = protocol_of(plan, benchmark)
    sampling = Sampling(protocol.temperature, protocol.top_p, how.step_tokens, plan.seed)
    params = digest([plan.model.name, asdict(how), asdict(sampling), extras_of(plan.model)])
    path = plan.out / benchmark.name / "searches.jsonl"
    async with connect(verifier) as client:
        steps = ChatSteps(plan.model, sampling, how.done, opening=how.opening)
        strategy = how.strategy(steps, ServiceScorer(client, how.recipe, how.part))
        with (
            Records(path, Searched) as records,
            Progress(console=console, disable=not console.is_terminal) as progress,
        ):
            keys = [key_of(benchmark, question, params) for question in questions]
            newest = records.newest()
            have = {key: newest[key] for key in keys if key in newest}
            have = {key: one for key, one in have.items() if one.value is not None}
            title = f"{benchmark.name} {how.name}"
            task = progress.add_task(title, total=len(keys), completed=len(have))

            def made(question: Question, solved: Solved) -> None:
                told = [asdict(solution) for solution in solved.solutions]
                key = key_of(benchmark, question, params)
                names = (key.benchmark, key.question, key.prompt_hash, key.params_hash)
                records.append(Searched(*names, solved.value, told, solved.error))
                progress.advance(task)

            missing = [
                question for question, key in zip(questions, keys, strict=True) if key not in have
            ]
            found = await solve(strategy, missing, client, seed=plan.seed, made=made)
    held = [Solved(one.question, (), one.value) for one in have.values()] + found
    return figure(held), sum(one.value is None for one in held) / len(held)


def key_of(benchmark: Benchmark, question: Question, params: str) -> Key:
    return Key(benchmark.name, question.id, 0, prompt_hash(question.messages), params)
