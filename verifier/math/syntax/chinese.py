r"""Chinese numerals and scale words: 三十五, 3万, 1.2亿, 百分之四十, 八分之三.

Invariants:
- A numeral is read only where it stands as a number: alone, before a unit or a counter, in
  a fraction, or behind digits as their scale. 三角形 stays a word.
- Linear in the text.

Not covered: numerals inside formulas in words (三加五).
"""

from __future__ import annotations

import re

from verifier.math.units import canonical

_DIGIT = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_TEN = {"十": 10, "百": 100, "千": 1000}
_SCALE = {"万": 10**4, "亿": 10**8}
_NUMERAL = r"[零〇一二两三四五六七八九十百千万亿]{1,20}(?:点[零〇一二三四五六七八九]{1,20})?"
_NUMBER = rf"(?:\d+(?:\.\d+)?|{_NUMERAL})"
_COUNTERS = "个只条人次种名本位对组张辆件台把支岁页棵朵头匹座间所户份倍步层场"
_HAN = re.compile("[\u4e00-\u9fff〇]")
_PERCENT = re.compile(rf"百分之({_NUMBER})")
_FRACTION = re.compile(rf"({_NUMBER})分之({_NUMBER})")
_MIXED = re.compile(rf"({_NUMBER})又(?=\\frac)")
_SCALED = re.compile(r"(?<=\d)([万亿])(?=[^\u4e00-\u9fff]|$|[元人个美米吨升千公])")
_ALONE = re.compile(
    rf"\s*(负?)({_NUMERAL})(?![\u4e00-\u9fff]分之)([\u4e00-\u9fff/]{{0,6}})\s*[。.]?\s*"
)


def in_digits(text: str) -> str:
    """The text with numerals that stand as numbers in digits."""
    if not _HAN.search(text):
        return text
    if "分之" in text:
        text = _PERCENT.sub(lambda m: rf"{_digits(m.group(1))}\%", text)
        text = _FRACTION.sub(
            lambda m: rf"\frac{{{_digits(m.group(2))}}}{{{_digits(m.group(1))}}}", text
        )
        text = _MIXED.sub(lambda m: _digits(m.group(1)), text)
    text = _SCALED.sub(lambda m: rf"\times 10^{{{4 if m.group(1) == '万' else 8}}}", text)
    alone = _ALONE.fullmatch(text)
    if alone:
        sign, numeral, unit = alone.groups()
        if not unit or unit in _COUNTERS or canonical(unit)[1]:
            number = _digits(numeral)
            if number != numeral:
                return ("-" if sign else "") + number + unit
    return text


def _digits(numeral: str) -> str:
    """A numeral in digits; what is none stays as it is."""
    if numeral[0].isdigit():
        return numeral
    whole, _, part = numeral.partition("点")
    if all(char in _DIGIT for char in whole):  # 二〇二五: digit by digit
        value = "".join(str(_DIGIT[char]) for char in whole)
    else:
        number = _value(whole)
        if number is None:
            return numeral
        value = str(number)
    return value + ("." + "".join(str(_DIGIT[char]) for char in part) if part else "")


def _value(numeral: str) -> int | None:
    """三十五, 一百零五, 两千三百万, 二百五 (250); None where the places do not fall."""
    total = section = 0
    digit: int | None = None
    place = scale = last = 10**12
    if numeral[0] not in _DIGIT and numeral[0] != "十":
        return None
    for char in numeral:
        last = 10 if char in "零〇" else _TEN.get(char) or _SCALE.get(char) or last
        if char in _DIGIT:
            if digit:
                return None
            digit = _DIGIT[char]
        elif char in _TEN:
            if _TEN[char] >= place:
                return None
            place = _TEN[char]
            section += (1 if digit is None else digit) * place
            digit = None
        else:
            if _SCALE[char] >= scale:
                return None
            scale = _SCALE[char]
            section += digit or 0
            if not section:
                return None
            total, section, digit, place = total + section * scale, 0, None, 10**12
    return total + section + (digit or 0) * max(last // 10, 1)
