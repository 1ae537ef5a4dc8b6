r"""Unicode mathematics in its one ASCII or LaTeX spelling.

Invariant: full-width forms, superscripts, fraction signs, circled digits, √ π × − ≤ ∞
and their like have one spelling afterwards. Linear in the text.
"""

from __future__ import annotations

import re
import unicodedata

from verifier.math.syntax.chinese import in_digits

_UNICODE = {
    "×": r"\times ", "⋅": r"\cdot ", "·": r"\cdot ", "∙": r"\cdot ", "÷": r"\div ", "−": "-",
    "–": "-", "—": "-", "‐": "-", "‑": "-", "±": r"\pm ", "∓": r"\mp ", "√": r"\sqrt ",
    "∛": r"\sqrt[3]", "∜": r"\sqrt[4]", "π": r"\pi ", "∞": r"\infty ", "≤": r"\le ",
    "≥": r"\ge ", "≦": r"\le ", "≧": r"\ge ", "⩽": r"\le ", "⩾": r"\ge ", "≠": r"\ne ",
    "≈": r"\approx ", "≃": r"\approx ", "≡": r"\equiv ", "∈": r"\in ", "∉": r"\notin ",
    "∪": r"\cup ", "∩": r"\cap ", "∖": r"\setminus ", "∅": r"\emptyset ", "ø": r"\emptyset ",
    "ℝ": r"\mathbb{R}", "ℤ": r"\mathbb{Z}", "ℕ": r"\mathbb{N}", "ℚ": r"\mathbb{Q}",
    "ℂ": r"\mathbb{C}", "°": r"^\circ ", "º": r"^\circ ", "′": "'", "″": "''", "’": "'", "‘": "'",
    "℃": r"^\circ C", "℉": r"^\circ F", "Ω": r"\Omega ",
    "…": r"\ldots ", "⋯": r"\ldots ", "→": r"\to ", "⌊": r"\lfloor ", "⌋": r"\rfloor ",
    "⌈": r"\lceil ", "⌉": r"\rceil ", "⟨": r"\langle ", "⟩": r"\rangle ", "〈": r"\langle ",
    "〉": r"\rangle ", "∑": r"\sum ", "∏": r"\prod ", "∫": r"\int ", "∶": ":", "∣": "|",
    "、": ",", "。": ".", "《": "<", "》": ">", "｛": r"\{", "｝": r"\}",
    "【": "[", "】": "]", "或": r"\text{ or }",
    "和": r"\text{ and }", "且": r"\text{ and }", "∧": r"\text{ and }", "∨": r"\text{ or }",
    "€": r"\euro ", "£": r"\pounds ", "¥": r"\yen ", "￥": r"\yen ", "％": "%", "∠": r"\angle ",
    "△": r"\triangle ", "⁄": "/", "∕": "/", "“": '"', "”": '"', "ℯ": "e", "ⅈ": "i", "ⅇ": "e",
    "\u200b": "", "\u200c": "", "\u200d": "", "\ufeff": "", "\u2061": "", "\u2062": "",
    "\u2063": ",", "\u202e": "", "\u202c": "", "\u200e": "", "\u200f": "",
}  # fmt: skip
_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta",
    "η": "eta", "θ": "theta", "κ": "kappa", "λ": "lambda", "μ": "mu", "µ": "mu", "ν": "nu",
    "ξ": "xi", "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "phi", "ϕ": "phi", "χ": "chi",
    "ψ": "psi", "ω": "omega", "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda",
    "Σ": "Sigma", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
}  # fmt: skip
_UNICODE |= {letter: f"\\{name} " for letter, name in _GREEK.items()}
_SUPER = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱˣ", "0123456789+-()nix", strict=True))
_SUB = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋ₙₖₓ", "0123456789+-nkx", strict=True))
_SUPER_RUN = re.compile("[" + "".join(_SUPER) + "]+")
_SUB_RUN = re.compile("[" + "".join(_SUB) + "]+")
# Units and counters stand bare behind a number in Chinese: 220元, 6天.
_HAN_AFTER_VALUE = re.compile(
    r"(?<=[\d})])[ ]?((?:(?![或和且])[\u4e00-\u9fff])+(?:/[\u4e00-\u9fff]+)?)"
)
_JOINT = re.compile(r"\\(?:text|mbox|textrm|mathrm)\s{0,3}\{\s{0,3}([或和且])者?\s{0,3}\}")
_CIRCLED_RUN = re.compile(r"(?<=[①-⑳])(?=[①-⑳])")  # ①③: statements, not a number
_MARKED_DIGITS = re.compile("((?:\\d[\u0304\u0305])+)")
_DOTTED_DIGIT = re.compile("(\\d)\u0307")
_ROOT_OF = re.compile(r"√\s*(\d+(?:\.\d+)?|[A-Za-zπ])")


def ascii_math(text: str) -> str:
    """The text with Unicode mathematics written as ASCII and LaTeX."""
    if text.isascii():
        return text
    text = _JOINT.sub(r"\1", text)
    text = _CIRCLED_RUN.sub(",", in_digits(text))
    text = _MARKED_DIGITS.sub(lambda m: rf"\overline{{{re.sub('[^0-9]', '', m.group())}}}", text)
    text = _DOTTED_DIGIT.sub(r"\\dot{\1}", text)
    text = _HAN_AFTER_VALUE.sub(r"\\text{\1}", text)
    text = _ROOT_OF.sub(r"\\sqrt{\1}", text)
    text = _SUPER_RUN.sub(lambda m: "^{" + "".join(_SUPER[c] for c in m.group()) + "}", text)
    text = _SUB_RUN.sub(lambda m: "_{" + "".join(_SUB[c] for c in m.group()) + "}", text)
    return "".join(char if char.isascii() else _one(char) for char in text)


def _one(char: str) -> str:
    known = _UNICODE.get(char)
    if known is not None:
        return known
    plain = unicodedata.normalize("NFKC", char)
    if len(plain) == 3 and plain[1] == "⁄":  # ½ ¾ ⅓
        return rf"\frac{{{plain[0]}}}{{{plain[2]}}}"
    if plain.isascii():
        if unicodedata.category(char) == "No":  # ① ⑫ stand alone, not beside other digits
            return f" {plain.strip('().')} "
        return plain
    return _UNICODE.get(plain, char)
