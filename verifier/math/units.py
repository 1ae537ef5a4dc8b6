"""Units: which spellings are the same unit."""

from __future__ import annotations

import re
from fractions import Fraction

_SAME = {
    "cm": "cm centimeter centimetre centimeters centimetres 厘米",
    "mm": "mm millimeter millimetre millimeters millimetres 毫米",
    "km": "km kilometer kilometre kilometers kilometres 千米 公里",
    "m": "m meter metre meters metres 米",
    "in": "in inch inches",
    "ft": "ft foot feet",
    "yd": "yd yard yards",
    "mi": "mi mile miles",
    "g": "g gram grams gramme grammes 克",
    "kg": "kg kilogram kilograms kilo kilos 千克 公斤",
    "lb": "lb lbs pound pounds",
    "oz": "oz ounce ounces",
    "s": "s sec secs second seconds 秒",
    "min": "min mins minute minutes 分钟",
    "h": "h hr hrs hour hours 小时",
    "day": "day days 天 日",
    "week": "week weeks 周 星期",
    "month": "month months 月 个月",
    "year": "year years yr yrs 年",
    "mph": "mph mi/h miles/h mile/h",
    "l": "l liter litre liters litres 升",
    "ml": "ml milliliter millilitre milliliters millilitres 毫升",
    "$": "$ dollar dollars usd bucks",
    "cent": "cent cents ¢",
    "euro": "euro euros €",
    "pounds": "£",
    "yen": "yen ¥",
    "yuan": "yuan rmb 元 块",
    "unit": "unit units",
    "rad": "rad radian radians",
    "am": "am",
    "pm": "pm",
}
_CANONICAL = {spelling: name for name, text in _SAME.items() for spelling in text.split()}
_POWER = re.compile(r"\^?\{?([2-9])\}?$")


def canonical(unit: str) -> tuple[str, bool]:
    """A unit in one spelling, and whether it is a known unit at all.

    "square feet" and "ft^2" are "ft^2"; "miles per hour" is "mph".
    """
    low = " ".join(unit.replace(".", "").lower().split())
    low = re.sub(r"\s+per\s+|\s*/\s*", "/", low)
    power = ""
    for word, mark in (("square ", "^2"), ("sq ", "^2"), ("cubic ", "^3"), ("cu ", "^3"),
                       ("平方", "^2"), ("立方", "^3")):  # fmt: skip
        if low.startswith(word):
            low, power = low[len(word) :], mark
    match = _POWER.search(low)
    if match and not power:
        low, power = low[: match.start()].strip(), "^" + match.group(1)
    parts = [_CANONICAL.get(part.strip(), "") for part in low.split("/")]
    if all(parts):
        name = "/".join(parts)
        return {"mi/h": "mph"}.get(name, name) + power, True
    return low.rstrip("s") + power, False


_SCALES = {
    "mm": ("length", Fraction(1, 1000)), "cm": ("length", Fraction(1, 100)),
    "m": ("length", Fraction(1)), "km": ("length", Fraction(1000)),
    "in": ("inches", Fraction(1)), "ft": ("inches", Fraction(12)), "yd": ("inches", Fraction(36)),
    "mi": ("inches", Fraction(63360)), "g": ("mass", Fraction(1)), "kg": ("mass", Fraction(1000)),
    "oz": ("ounces", Fraction(1)), "lb": ("ounces", Fraction(16)), "s": ("time", Fraction(1)),
    "min": ("time", Fraction(60)), "h": ("time", Fraction(3600)),
    "day": ("time", Fraction(86400)),
    "week": ("time", Fraction(604800)), "ml": ("volume", Fraction(1)),
    "l": ("volume", Fraction(1000)),
    "cent": ("money", Fraction(1)), "$": ("money", Fraction(100)),
}  # fmt: skip


def factor(unit: str, other: str) -> Fraction | None:
    """How many of `other` make one `unit` (both canonical); None when they do not convert."""
    name, _, power = unit.partition("^")
    other_name, _, other_power = other.partition("^")
    if power != other_power or name not in _SCALES or other_name not in _SCALES:
        return None
    (kind, size), (other_kind, other_size) = _SCALES[name], _SCALES[other_name]
    return (size / other_size) ** int(power or 1) if kind == other_kind else None
