"""The stage table of tiny models, through the real service."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.trainer.support import tiny_model
from tests.verifier.judge.server import ChatServer, Request, says
from trainer.pipeline.figures import from_json
from trainer.pipeline.stage import Service, Settings, StageFailed, Work
from trainer.pipeline.stages.table import TableStage
from verifier.embedded import EmbeddedServer

SAMPLING = {"samples": 4, "max_new_tokens": 8, "chunk": 3, "dtype": "float32", "temperature": 1.0, "top_p": 1.0}  # fmt: skip
PLAIN = "{prompt} "


def stage(**changes: Any) -> TableStage:
    told = {
        "kind": "table",
        "data": {"digits": "digits", "letters": "letters"},
        "rows": [
            {"name": "Zero", "model": "zero", "template": PLAIN, "style": "r1_zero"},
            {"name": "Dev1", "model": "dev1"},
        ],
        "sampling": SAMPLING | {"template": "none"},
    }
    return TableStage.model_validate_json(json.dumps(told | changes))


def rows(path: Path, count: int, **task: Any) -> Path:
    told = [
        {"id": str(n), "prompt": f"Say what number {n} is", "language": "en"} | task
        for n in range(count)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in told))
    return path


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("inputs")
    policy = {"gold": [str(n) for n in range(10)], "policy": {"free_text": True}}
    return {
        "models.Zero": tiny_model(folder / "zero", 0),
        "models.Dev1": tiny_model(folder / "dev1", 1),
        "data.digits": rows(folder / "digits.jsonl", 5, math=policy),
        "data.letters": rows(folder / "letters.jsonl", 4, choice={"gold": "A", "options": ["1", "2"]}),
        "data.kind": rows(folder / "kind.jsonl", 2, judge={"mode": "HELPFUL"}),
    }  # fmt: skip


def work(folder: Path, inputs: dict[str, Path], service: Service) -> Work:
    folder.mkdir(exist_ok=True)
    return Work(folder, inputs, Settings(3, "", 1, service, None))


def test_of_two_models(inputs: dict[str, Path], tmp_path: Path) -> None:
    with EmbeddedServer("--log-level", "warning", "--sandbox", "none") as server:
        told = Service(address=server.address)
        figures = stage().run(work(tmp_path / "whole", inputs, told))
        table = from_json(figures)
        assert figures == json.loads((tmp_path / "whole/table.json").read_text())
        assert [row.name for row in table.rows] == ["Zero", "Dev1"]
        for row in table.rows:
            digits, letters = row.domains["digits"], row.domains["letters"]
            assert digits is not None
            assert letters is not None
            assert digits.problems == 5
            assert (letters.problems, letters.samples) == (4, 16)
            # What the rules leave undecided has no score, and is not wrong.
            assert row.failed is not None
            assert row.failed.samples == 36
            assert row.failed.mean == pytest.approx((20 - digits.samples) / 36)
            assert row.reasoning is not None
            assert row.reasoning.mean == pytest.approx((digits.mean + letters.mean) / 2)
            assert row.general is None
        zero, dev1 = table.rows
        assert zero.length is not None
        assert 1 <= zero.length.mean <= 8
        assert zero.domains != dev1.domains
        # As the samples on disk say.
        held = pq.read_table(
            sorted((tmp_path / "whole/samples/Zero").glob("*.parquet"))
        ).to_pylist()
        right = [row["accuracy"] for row in held if row["prompt_id"].startswith("digits/")]
        assert zero.domains["digits"] is not None
        right = [one for one in right if one is not None]
        assert 0 < sum(right) < len(right)
        assert zero.domains["digits"].mean == pytest.approx(sum(right) / len(right))
        assert zero.domains["digits"].samples == len(right)
        assert {part["name"] for part in json.loads(held[0]["parts"])} == {
            "accuracy",
            "format",
            "language",
        }
        words = (tmp_path / "whole/table.md").read_text()
        assert re.search(r"^\| Zero \| [\d.]+ ± [\d.]+ \| ", words, re.MULTILINE)

        # Broken off after some chunks: the rest is made, and the same comes of it.
        again = tmp_path / "again"
        (again / "samples/Zero").mkdir(parents=True)
        for name in ("chunk-00000", "chunk-00002"):
            made = tmp_path / f"whole/samples/Zero/{name}.parquet"
            (again / f"samples/Zero/{name}.parquet").write_bytes(made.read_bytes())
        assert stage().run(work(again, inputs, told)) == figures
        assert (again / "table.json").read_bytes() == (tmp_path / "whole/table.json").read_bytes()


def test_a_judge_decides_general_ones_and_its_failures_are_no_score(
    inputs: dict[str, Path], tmp_path: Path
) -> None:
    def script(request: Request) -> Any:
        asked = json.dumps(request.body["messages"])
        return says(
            "nonsense" if "number 1 " in asked else json.dumps({"analysis": "", "grade": "good"})
        )

    with ChatServer(script) as chat:
        judge = tmp_path / "judge.toml"
        judge.write_text(f'[[endpoints]]\nurl = "{chat.url}"\nmodel = "judge"\n')
        told = stage(
            data={"digits": "digits"},
            general={"kind": "kind"},
            rows=[{"name": "Zero", "model": "zero"}],
        )
        settings = Settings(0, "", 1, Service(judge=judge, arguments=["--sandbox", "none"]), None)
        assert list(told.check(settings)) == []
        done = told.run(
            replace(work(tmp_path / "judged", inputs, settings.service), settings=settings)
        )
    [row] = from_json(done).rows
    assert row.general is not None
    assert row.failed is not None
    assert (row.general.mean, row.general.problems, row.general.samples) == (0.75, 1, 4)
    digits = row.domains["digits"]
    assert digits is not None
    assert row.failed.mean == pytest.approx((4 + 20 - digits.samples) / 28)


def test_what_cannot_be(inputs: dict[str, Path]) -> None:
    bad = stage(
        rows=[{"name": "R1", "model": "a"}, {"name": "r1", "model": "b"}],
        data={"length": "x", "math": "y"},
        general={"math": "z"},
    )
    assert list(bad.check(Settings(0, "", 0, Service(), None))) == [
        "rows: names that differ, got 'R1' 2 times",
        "rows: names that differ, got 'r1' 2 times",
        "data.length: another name is wanted, the table has a column length",
        "general.math: another name is wanted, data has it",
        "general: a judge decides these, and service.judge names none",
    ]
    assert stage().references() == {
        "models.Zero": "zero", "models.Dev1": "dev1", "data.digits": "digits", "data.letters": "letters",
    }  # fmt: skip


def test_a_file_of_which_the_service_takes_nothing_is_no_column(
    inputs: dict[str, Path], server: EmbeddedServer, tmp_path: Path
) -> None:
    # Neither an item's language nor a prompt that tells it.
    wordless = [{"id": "1", "prompt": "3 + 4 = ", "math": {"gold": ["7"]}}]
    path = tmp_path / "wordless.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in wordless))
    given = inputs | {"data.letters": path}
    with pytest.raises(StageFailed, match=r"^data\.letters: the service takes none .* language"):
        stage().run(work(tmp_path / "stage", given, Service(address=server.address)))
