import time

import pytest

from tests.verifier.math.pace import slack
from verifier.math.extract import boxed, extract


@pytest.mark.parametrize(
    ("response", "text", "source"),
    [
        (r"so $\boxed{5}$.", "5", "boxed"),
        (r"\boxed{\frac{1}{2}} done", r"\frac{1}{2}", "boxed"),
        (r"\fbox{7}", "7", "boxed"),
        (r"\boxed 5", "5", "boxed"),
        (r"\boxed{\{1,2\}}", r"\{1,2\}", "boxed"),
        (r"a \\boxed{\\frac{4}{9}} b", r"\frac{4}{9}", "boxed"),
        (r"first \boxed{5}. That is wrong. Now \boxed{7}.", "7", "boxed"),
        (r"\boxed{1} and \boxed{-2}", "1, -2", "boxed"),
        (r"\boxed{1}, \boxed{2}, \boxed{3}", "1, 2, 3", "boxed"),
        (r"$\boxed{a = 4} \quad \text{and} \quad \boxed{b = 2}$", "a = 4, b = 2", "boxed"),
        (r"\boxed{\boxed{6}}", "6", "boxed"),
        (r"\boxed{185\}$.", "185", "boxed"),
        ("Put it in \\boxed{}? Yes: \\boxed{3}. I used \\boxed as asked.", "3", "boxed"),
        (r"<think>\boxed{1}</think> \boxed{2}", "2", "boxed"),
        ("<answer> 12 </answer>", "12", "answer_tag"),
        ("<answer>Answer: 12</answer>", "12", "answer_tag"),
        (r"<answer>It is \boxed{12}</answer>", "12", "boxed"),
        ("work\n#### 1,234", "1,234", "hashes"),
        ("The answer is 58.", "58", "answer_line"),
        ("Answer: $x^2$", "x^2", "answer_line"),
        ("**Final Answer:** 42", "42", "answer_line"),
        ("Final Answer: The final answer is $3.5$. I hope it is correct.", "3.5", "answer_line"),
        ("Final Answer: The shortest side $s$ is 61.", "61", "answer_line"),
        ("The final answer is $\\$10$. I hope so.", "\\$10", "answer_line"),
        ("答案是 12。", "12", "answer_line"),
        ("答案：12", "12", "answer_line"),
        ("**Answer**: 42", "42", "answer_line"),
        ("Answer - 42", "42", "answer_line"),
        ("ANSWER = 42", "42", "answer_line"),
        ("The answer is **42** because six sevens make it.", "42", "answer_line"),
        ("Therefore, the answer is \\(42\\). Done.", "\\(42\\)", "answer_line"),
        ("### Final Answer\n42", "42", "answer_line"),
        ("#### Final Answer\n42", "42", "answer_line"),
        ("Final Answer\n\n$$42$$", "42", "answer_line"),
        ("The answer is $3$ if n is even", "3$ if n is even", "answer_line"),
        ("所以最终答案为42。证毕", "42", "answer_line"),
        ("故选：C。", "C", "answer_line"),
        ("因此选B。", "B", "answer_line"),
        ("所以选 B", "B", "answer_line"),
        ("故答案选B。", "B", "answer_line"),
        ("因此，正确选项是 B。", "B", "answer_line"),
        ("【答案】B", "B", "answer_line"),
        (r"【答案】$\frac12$", r"\frac12", "answer_line"),
        ("所以答案为：5", "5", "answer_line"),
        ("答案是: 5", "5", "answer_line"),
        ("综上，应选择C。", "C", "answer_line"),
        ("所以选B。若选C则不对。", "B", "answer_line"),
        ("The correct option is B.", "B", "answer_line"),
        ("The answer is therefore 42.", "42", "answer_line"),
        ("The answer to the question is 42.", "42", "answer_line"),
        ("Ans: 42", "42", "answer_line"),
        ("Answer: $5$ (or $6$)", "5$ (or $6$)", "answer_line"),
        ("La réponse est 42.", "42", "answer_line"),
        ("Die Antwort ist 42.", "42", "answer_line"),
        ("Respuesta: 42", "42", "answer_line"),
        ("Ответ: 42", "42", "answer_line"),
        ("答えは42です。", "42", "answer_line"),
        ("35 percent", "35 percent", "whole"),
        ("$35$ percent", "35$ percent", "whole"),
        (r"$\frac12$", r"\frac12", "whole"),
        ("<think>so it is 5</think>\n x = 5", "x = 5", "whole"),
        ("(C)", "(C)", "whole"),
        ("B.", "B", "whole"),
        ("5 miles per hour", "5 miles per hour", "whole"),
        ("**42**", "42", "whole"),
        (r"\boxed{\frac{\boxed{1}}{2}}", r"\frac{\boxed{1}}{2}", "boxed"),
        (r"\boxed{x = \boxed{6}}", "6", "boxed"),
        (r"\boxed{\boxed{3}, \boxed{4}}", "3, 4", "boxed"),
        (r"\text{so \boxed{5}}", "5", "boxed"),
        ("\\boxed{5}\nSo far.\n\n**Answer:** 7", "7", "answer_line"),
        ("\\boxed{5}\n\nFinal Answer\n\n$7$", "7", "answer_line"),
        ("\\boxed{A}\nAnswer: (B)", "(B)", "answer_line"),
        ("\\boxed{7}\nAnswer: (B)", "7", "boxed"),
        ("\\boxed{5}\nAnswer: see above", "5", "boxed"),
        ("\\boxed{5}\nAnswer: the ball costs 5 cents, as the bat costs more", "5", "boxed"),
        ("\\boxed{5}. For n = 2 the answer is 7.", "5", "boxed"),
        ("\\boxed{5}\nAnswer: \\boxed{7", "5", "boxed"),
        (
            r"\boxed{255} Later. Final Answer: The final answer is $10,455$.",
            "10,455",
            "answer_line",
        ),
    ],
)
def test_finds(response: str, text: str, source: str) -> None:
    found = extract(response)
    assert found is not None
    assert (found.text.strip("$"), found.source) == (text, source)


@pytest.mark.parametrize(
    "response",
    [
        "",
        "No idea how to go on.",
        r"<think> so \boxed{12}",
        r"<think>\boxed{12}</think> I am not sure.",
        r"we get \boxed{17 + x",
        "We get 12 and then 7.",
        "12 eggs remain.",
        "I think 12 maybe",
        "12 maybe",
        "12 or 13",
        "12?",
        "?",
        "Step 1",
        "1. 5",
        "Hence 12",
        "12\n13",
        "1" * 201,
        "Yes",
        "x",
        "<answer>12",
        "Answer:",
        "The answer is",
    ],
)
def test_no_answer(response: str) -> None:
    assert extract(response) is None


def test_spans_point_into_the_response() -> None:
    response = r"<think>\boxed{0}</think> é so $\boxed{ \frac{1}{2} }$."
    found = extract(response)
    assert found is not None
    assert response[found.start : found.end].strip() == found.text == r"\frac{1}{2}"


def test_free_text_only_when_asked() -> None:
    text = "We first get 12, then the total is 7."
    assert extract(text) is None
    found = extract(text, free_text=True)
    assert found is not None
    assert (found.text, found.source) == ("7", "free_text")
    stated = extract(r"All in all $t \leq 9$ holds.", free_text=True)
    assert stated is not None
    assert stated.text == r"t \leq 9"
    worked = extract(r"So $3 \cdot 4 = 12$", free_text=True)
    assert worked is not None
    assert worked.text == "12"


def test_a_spray_of_boxes_is_one_list() -> None:
    found = extract(" ".join(rf"\boxed{{{n}}}" for n in range(9)))
    assert found is not None
    assert found.text == ", ".join(str(n) for n in range(9))


def test_boxes_of_a_reference() -> None:
    assert boxed(r"\boxed{6} red and \boxed{8} blue") == "6, 8"
    assert boxed(r"\boxed{6} but then after all of it \boxed{8}") == "8"
    assert boxed("nothing") is None


MIB = 1 << 20


@pytest.mark.parametrize(
    "unit",
    [
        "{",
        "}",
        "\\",
        "\\boxed{",
        "\\boxed",
        "\\boxed{1} ",
        "\\boxed{1} and ",
        "$",
        "$x$ ",
        "9",
        "a",
        "answer",
        "the answer is ",
        "Answer: ",
        "<answer>",
        "</answer>",
        "####",
        "<think>",
        "\n",
        " ",
        "The final answer is ",
        "wait, ",
        "\\fbox{\\{",
        "答案",
        "is ",
        "- ",
        "1,",
        "**",
        "x_",
        ".5",
        "故选",
        "ANSWER",
        "\nAnswer",
        "\nAnswer: 7 z",
        "Ответ: ",
        "réponse est ",
        "orrect option",
        "\\boxed{\\boxed{1}}",
    ],
)
@pytest.mark.parametrize("free_text", [False, True])
def test_linear_on_hostile_megabytes(unit: str, free_text: bool) -> None:
    response = unit * (MIB // len(unit))
    started = time.process_time()
    extract(response, free_text)
    extract(r"\boxed{1}" + response, free_text)
    assert time.process_time() - started < 0.2 * slack()  # two runs of at most 100 ms


def test_the_last_closed_box_counts_when_a_later_one_was_cut_off() -> None:
    found = extract(r"\boxed{5} but no: \boxed{7")
    assert found is not None
    assert (found.text, found.source) == ("5", "boxed")


@pytest.mark.parametrize("text", ["所以不选B。", "不应选B。", "若选A", "如果选择C"])
def test_a_letter_that_is_not_chosen(text: str) -> None:
    assert extract(text) is None
