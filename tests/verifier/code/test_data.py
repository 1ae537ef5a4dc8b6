"""Agreement with data sets whose verdicts are known. Skipped, with the reason shown, without them.

The default run takes a part of each set, the same every time; TOUCHSTONE_WHOLE_DATA=1 takes all.
Every row that disagrees with its label is named here with the reason, and nothing else may
disagree.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.verifier.code.data import contests, humaneval_mul, humanevalpack, livecodebench, quixbugs
from tests.verifier.code.data.reading import LIMITS, Row, accepted, judge, rows, told
from verifier.client import VerifierClient
from verifier.code import extract
from verifier.embedded import EmbeddedServer
from verifier.v1 import verifier_pb2 as pb

WHOLE = os.environ.get("TOUCHSTONE_WHOLE_DATA", "") not in ("", "0")


def part(all_rows: list[Row], every: int, key: Callable[[Row], object]) -> list[Row]:
    """All rows, or by default those of one in `every` of the different keys."""
    keys = list(dict.fromkeys(key(row) for row in all_rows))
    kept = set(keys if WHOLE else keys[::every])
    return [row for row in all_rows if key(row) in kept]


def disagreeing(verdicts: dict[str, pb.Verdict], expected: dict[str, bool]) -> list[str]:
    return [
        told(verdicts[name])
        for name, right in expected.items()
        if accepted(verdicts[name]) != right
    ]


def test_the_reasons_are_counted_once() -> None:
    listed = [name for text in CCR_REFUSED.values() for name in text.split()]
    assert len(listed) == len(set(listed))


# LiveCodeBench: official verdicts of 880 responses.

LCB = "lcb-O1-Mini-2024-09-12-"

# Officially wrong because of the rule of extraction alone: a fence within a fence, between
# whose last two lines there is nothing. The program itself passes the tests that we have.
LCB_FOUND_BY_DEFAULT = {f"{LCB}3637", f"{LCB}abc384_g"}

# The second figure is for official passes that hit the first: a busy machine is no verdict.
LCB_CPU_SECONDS = (2.0, 12.0)


@pytest.mark.parametrize("mode", ["default", "lcb"])
def test_livecodebench(data_dir: Path, server: EmbeddedServer, mode: str) -> None:
    problems = {
        row["question_id"]: row
        for row in rows(data_dir / "livecodebench/problems_release_v5_880.jsonl.gz")
    }
    every = {"default": 2, "lcb": 4}[mode]
    responses = rows(data_dir / "verdicts/livecodebench_o1mini.jsonl.gz")
    assert len(responses) == 880
    responses = part(responses, every, lambda row: row["id"])

    def judged(of: Iterable[Row], cpu_seconds: float) -> dict[str, pb.Verdict]:
        items = (livecodebench.item(problems[r["question_id"]], r, mode, cpu_seconds) for r in of)
        return judge(server, [item for item in items if item is not None])

    verdicts = judged(responses, LCB_CPU_SECONDS[0])
    slow = [
        row
        for row in responses
        if row["expected"]
        and row["id"] in verdicts
        and verdicts[row["id"]].parts[0].reason in LIMITS
    ]
    verdicts |= judged(slow, LCB_CPU_SECONDS[1])

    by_id = {row["id"]: row for row in responses}
    refused = [
        told(verdict)
        for name, verdict in verdicts.items()
        if by_id[name]["expected"] and by_id[name]["errata"] is None and not accepted(verdict)
    ]
    assert not refused
    wrongly = {
        name
        for name, verdict in verdicts.items()
        if accepted(verdict) and not by_id[name]["expected"] and by_id[name]["decidable"]
    }
    assert wrongly == (LCB_FOUND_BY_DEFAULT & verdicts.keys() if mode == "default" else set())
    if WHOLE:
        assert len(verdicts) == 851  # the others have no test that may gate


def test_livecodebench_extraction(data_dir: Path) -> None:
    responses = rows(data_dir / "verdicts/livecodebench_o1mini.jsonl.gz")
    assert all(extract.last_fences(row["response"]) == row["code"] for row in responses)
    # The default rule finds the same text but for white space at its ends, except where a
    # fence stands within a fence.
    other = {
        row["id"]
        for row in responses
        if (extract.program(row["response"], "python") or "").strip() != row["code"].strip()
    }
    assert other == LCB_FOUND_BY_DEFAULT


# HumanEvalPack: every problem solved and with a bug put in, in six languages.

PACK_REFUSED = {
    "hep-CPP/38-canon": "the data's solution lacks a closing brace",
    "hep-CPP/162-canon": "must be linked with OpenSSL, which programs do not have",
    "hep-Rust/32-canon": "Newton's method on random polynomials: it need not end",
    "hep-Rust/91-canon": "needs the crate regex",
}


@pytest.mark.parametrize(
    ("language", "every"),
    [("python", 3), ("js", 6), ("java", 12), ("cpp", 16), ("go", 10), ("rust", 12)],
)
def test_humanevalpack(data_dir: Path, server: EmbeddedServer, language: str, every: int) -> None:
    needs(server, humanevalpack.LANGUAGES[language])
    table = rows(data_dir / "verdicts/humanevalpack_good_bad.jsonl.gz")
    table = [row for row in table if row["language"] == language]
    assert len(table) == 328
    table = part(table, every, lambda row: row["task"])
    verdicts = judge(server, map(humanevalpack.item, table))
    expected = {row["id"]: row["expected"] and row["id"] not in PACK_REFUSED for row in table}
    assert not disagreeing(verdicts, expected)


def test_humanevalpack_agreement() -> None:
    assert 1 - len(PACK_REFUSED) / 1968 >= 0.995


# HumanEval in eight languages.

MUL_REFUSED = {
    "js-51-right": "the data's test has a line break within a string",
    "php-23-right": "the data's function has the name of one of PHP's own",
}


@pytest.mark.parametrize("language", humaneval_mul.LANGUAGES)
def test_humaneval_in_other_languages(
    data_dir: Path, server: EmbeddedServer, language: str
) -> None:
    needs(server, humaneval_mul.LANGUAGES[language])
    bodies = humaneval_mul.bodies(language)
    assert len(bodies) >= 22
    table = [
        row
        for row in rows(data_dir / f"humaneval_mul/{language}.jsonl.gz")
        if humaneval_mul.number(row) in bodies
    ]
    # C++ takes seconds to compile without a precompiled header, which must come first.
    table = part(table, 8 if language == "cpp" else 2, lambda row: row["task_id"])
    items = [
        item
        for row in table
        for item in humaneval_mul.items(row, bodies[humaneval_mul.number(row)])
    ]
    verdicts = judge(server, items)
    expected = {
        item.id: item.id.endswith("-right") and item.id not in MUL_REFUSED for item in items
    }
    assert not disagreeing(verdicts, expected)


def test_humaneval_in_python(data_dir: Path, server: EmbeddedServer) -> None:
    table = rows(data_dir / "humaneval_mul/python.jsonl.gz")
    assert len(table) == 164
    table = part(table, 3, lambda row: row["task_id"])
    verdicts = judge(server, map(humaneval_mul.python_item, table))
    assert not disagreeing(verdicts, dict.fromkeys(verdicts, True))


# CodeContests.


def test_code_contests_with_all_tests(data_dir: Path, server: EmbeddedServer) -> None:
    table = rows(data_dir / "code_contests/sandboxfusion_20_fulltests.jsonl.gz")
    items = list(contests.full_items(table))
    assert len(items) == 2 * (20 - len(contests.LEFT_OUT))
    verdicts = judge(server, items)
    assert not disagreeing(verdicts, {item.id: not item.id.endswith("_wrong") for item in items})


# Solutions of the data that its expected outputs, token by token and line by line, do not fit.
CCR_REFUSED = {
    "floats": """
        1086_b_minimum_diameter_tree_8860 839_c_journey_2458 696_b_puzzles_9008 697_d_puzzles_7551
        2_c_commentator_problem_4414 598_f_cut_length_4738 630_o_arrow_1929
        108_d_basketball_team_11673 1245_e_hyakugoku_and_ladders_2311 1461_c_random_events_9295
        1543_c_need_for_pink_slips_3469 167_b_wizards_and_huge_prize_1597
        261_b_maxim_and_restaurant_4932 262_d_maxim_and_restaurant_7013 28_c_bath_queue_2018
        442_b_andrey_and_problem_4212 50_d_bombing_7752 518_d_ilya_and_escalator_1612
        540_d_bad_luck_island_6817 54_c_first_digit_law_6609 623_d_birthday_6300
        208_c_police_station_7323 280_c_game_on_tree_5453
    """,
    "case_insensitive": "791_b_bear_and_friendship_condition_8388 1516_b_agaga_xooorrr_3468",
    "the same tokens on other lines": """
        288_c_polo_the_penguin_and_xor_operation_9826 487_c_prefix_product_sequence_2443
        1325_d_ehab_the_xorcist_11372 923_c_perfect_security_7561
    """,
    "several answers are right": """
        1041_e_tree_reconstruction_8858 1325_c_ehab_and_pathetic_mexs_1064
        963_b_destruction_of_a_tree_65 576_a_vasya_and_petyas_game_7650
        1217_d_coloring_edges_7410 1521_d_nastia_plays_with_a_tree_11693 27_b_tournament_1914
        45_h_road_problem_460 136_d_rectangle_and_square_9500 407_a_triangle_11184
        464_b_restore_cube__2130 618_c_constellation_3489 749_b_parallelogram_is_back_2975
        633_c_spy_syndrome_2_3594 774_h_repairing_of_string_9638 521_d_shop_3485
        1031_e_triple_flips_11983 1071_c_triple_flips_5739 1427_e_xum_2840
        1438_d_powerful_ksenia_5652 862_c_mahmoud_and_ehab_and_the_xor_2355 925_c_big_secret_3711
        1407_e_egor_in_the_republic_of_dagestan_1382 507_e_breaking_good_9731
        715_b_complete_the_graph_3806 716_d_complete_the_graph_158
    """,
    "interactive": "680_c_bear_and_prime_100_4430 1534_e_lost_array_11486",
    # Outside the sandbox they end in the same way.
    "the solution fails to read the input": """
        1076_d_edge_deletion_9486 1118_f1_tree_cutting_easy_version_12195
        1133_f1_spanning_tree_with_maximum_degree_10945 1176_e_cover_it_10635
        1286_b_numbers_on_tree_11475 1391_e_pairs_of_pairs_6690 1056_d_decorate_apple_tree_1782
        1129_c_morse_code_3034 61_e_enemy_is_weak_2240 1264_c_beautiful_mirrors_with_queries_6684
        1342_e_placing_rooks_855 1486_e_paired_payment_6798
    """,
    # Outside the sandbox they print the same.
    "the solution is wrong": """
        1324_f_maximum_white_subtree_3668 1540_b_tree_array_3053
        1183_h_subsequences_hard_version_3870 1337_e_kaavi_and_magic_spell_10539
    """,
    # Seconds in CPython: refused for a limit on a slow machine, accepted on a fast one.
    "slow": """
        1349_d_slime_and_biscuits_751 1278_f_cards_5019 1503_e_2coloring_8359
        1238_e_keyboard_purchase_2831
    """,
}


def test_code_contests_with_solutions(data_dir: Path, server: EmbeddedServer) -> None:
    table = rows(data_dir / "code_contests/ccr_300_with_python_solutions.jsonl.gz")
    assert len(table) == 300
    slow = {f"ccr-{name}" for name in CCR_REFUSED["slow"].split()}
    table = part(table, 3, lambda row: row["id"])
    table = [row for row in table if WHOLE or row["id"] not in slow]
    verdicts = judge(server, (contests.given_item(row, "tokens") for row in table))
    listed = {f"ccr-{name}" for text in CCR_REFUSED.values() for name in text.split()}
    for name in slow & verdicts.keys():
        assert accepted(verdicts[name]) or verdicts[name].parts[0].reason in LIMITS, told(
            verdicts[name]
        )
    expected = {row["id"]: row["id"] not in listed for row in table if row["id"] not in slow}
    assert not disagreeing(verdicts, expected)
    for checker in ("floats", "case_insensitive"):
        chosen = {f"ccr-{name}" for name in CCR_REFUSED[checker].split()}
        again = [contests.given_item(row, checker, 20) for row in table if row["id"] in chosen]
        found = judge(server, again)
        assert not disagreeing(found, dict.fromkeys(found, True))


# QuixBugs: forty programs with one wrong line each.


def test_quixbugs_in_python(data_dir: Path, server: EmbeddedServer) -> None:
    quixbugs_agree(server, list(quixbugs.python_items(data_dir / "quixbugs")), 80)


def test_quixbugs_in_java(data_dir: Path, server: EmbeddedServer) -> None:
    needs(server, "java")
    quixbugs_agree(server, list(quixbugs.java_items(data_dir / "quixbugs")), 62)


def quixbugs_agree(server: EmbeddedServer, items: list[pb.Item], count: int) -> None:
    assert len(items) == count
    verdicts = judge(server, items)
    assert not disagreeing(verdicts, {item.id: item.id.startswith("correct") for item in items})


def needs(server: EmbeddedServer, language: str) -> None:
    with VerifierClient(server.address) as client:
        known = {toolchain.language for toolchain in client.describe().toolchains}
    if language not in known:
        pytest.skip(f"the server has no {language}")
