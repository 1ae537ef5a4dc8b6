r"""Units: which spellings are the same unit, and which units convert.

A unit is a product of powers of named units, written as people do: `km/h`, `m s^{-1}`,
`kg\cdot m^2`, "square feet", "miles per gallon", 平方厘米. Each named unit has an exact
size and a dimension; two units convert when their dimensions agree.

Invariants:
- Sizes are Fractions: converting never rounds.
- A text of more than MAX_UNIT_CHARS characters or a word of no known unit is unknown.

Not covered: temperatures (their scales have different zeros, so they never convert).
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

MAX_UNIT_CHARS = 80
"""The longest unit people write takes half of this."""

MAX_UNIT_POWER = 9
"""Exponents of units; physics ends at four."""

CACHED_UNITS = 1_024

_KILO = Fraction(1000)
_INCH = Fraction(254, 10_000)
_FOOT = _INCH * 12
_MILE = _FOOT * 5280
_POUND = Fraction(45_359_237, 100_000_000)

# Name, size, dimension, and other spellings. The first spelling is the unit's name.
_TABLE: tuple[tuple[str, Fraction | int, str], ...] = (
    ("m meter metre meters metres 米", 1, "m"),
    ("mm millimeter millimetre millimeters millimetres 毫米", Fraction(1, 1000), "m"),
    ("cm centimeter centimetre centimeters centimetres 厘米", Fraction(1, 100), "m"),
    ("dm decimeter decimetre decimeters decimetres 分米", Fraction(1, 10), "m"),
    ("km kilometer kilometre kilometers kilometres 千米 公里", 1000, "m"),
    ("nm nanometer nanometers nanometre nanometres 纳米", Fraction(1, 10**9), "m"),
    ("micron microns micrometer micrometers μm 微米", Fraction(1, 10**6), "m"),
    ("in inch inches 英寸", _INCH, "m"),
    ("ft foot feet 英尺", _FOOT, "m"),
    ("yd yds yard yards", _FOOT * 3, "m"),
    ("mi mile miles 英里", _MILE, "m"),
    ("nmi", 1852, "m"),
    ("g gram grams gramme grammes gm gms 克", 1, "g"),
    ("mg milligram milligrams 毫克", Fraction(1, 1000), "g"),
    ("kg kgs kilogram kilograms kilo kilos 千克 公斤", 1000, "g"),
    ("t tonne tonnes 吨", 10**6, "g"),
    ("lb lbs pound pounds 磅", _POUND * 1000, "g"),
    ("oz ounce ounces 盎司", _POUND * 1000 / 16, "g"),
    ("ton tons", 1, "ton"),  # short, long or metric: who knows
    ("s sec secs second seconds 秒 秒钟", 1, "s"),
    ("μs microsecond microseconds", Fraction(1, 10**6), "s"),
    ("μg microgram micrograms", Fraction(1, 10**6), "g"),
    ("ms millisecond milliseconds 毫秒", Fraction(1, 1000), "s"),
    ("min mins minute minutes 分钟", 60, "s"),
    ("h hr hrs hour hours 小时 时 个小时", 3600, "s"),
    ("day days 天 日", 86_400, "s"),
    ("week weeks wk wks 周 星期 个星期", 604_800, "s"),
    ("month months mo 月 个月", 1, "month"),
    ("year years yr yrs 年", 12, "month"),
    ("decade decades", 120, "month"),
    ("century centuries 世纪", 1200, "month"),
    ("ha hectare hectares 公顷", 10_000, "m^2"),
    ("acre acres 英亩", Fraction(40_468_564_224, 10**7), "m^2"),
    ("l liter litre liters litres 升", Fraction(1, 1000), "m^3"),
    ("ml milliliter millilitre milliliters millilitres cc 毫升", Fraction(1, 10**6), "m^3"),
    ("cl centiliter centilitre centiliters centilitres", Fraction(1, 10**5), "m^3"),
    ("dl deciliter decilitre deciliters decilitres", Fraction(1, 10**4), "m^3"),
    ("gallon gal gals gallons 加仑", 1, "gallon"),  # of which country, nobody says
    ("quart quarts qt qts", Fraction(1, 4), "gallon"),
    ("pint pints", Fraction(1, 8), "gallon"),
    ("$ dollar dollars usd bucks buck 美元", 1, "$"),
    ("cent cents ¢ 美分", Fraction(1, 100), "$"),
    ("euro euros € eur 欧元", 1, "euro"),
    ("gbp £ 英镑", 1, "gbp"),
    ("yen jpy 日元", 1, "yen"),
    ("yensign ¥", 1, "yensign"),
    ("yuan rmb cny 元 块 人民币", 1, "yuan"),
    ("rupee rupees rs inr ₹", 1, "rupee"),
    ("unit units 单位 个单位", 1, "unit"),
    ("rad rads radian radians 弧度", 1, "rad"),
    ("rev revolution revolutions", 1, "rev"),
    ("celsius °c", 1, "celsius"),
    ("fahrenheit °f", 1, "fahrenheit"),
    ("K kelvin kelvins", 1, "kelvin"),
    ("A ampere amperes amp amps 安", 1, "A"),
    ("C coulomb coulombs", 1, "A s"),
    ("mol mole moles 摩尔", 1, "mol"),
    ("mmol millimole millimoles", Fraction(1, 1000), "mol"),
    ("N newton newtons 牛 牛顿", 1000, "g m s^-2"),
    ("kN kilonewton kilonewtons", 10**6, "g m s^-2"),
    ("J joule joules 焦 焦耳", 1000, "g m^2 s^-2"),
    ("kJ kilojoule kilojoules 千焦", 10**6, "g m^2 s^-2"),
    ("W watt watts 瓦", 1000, "g m^2 s^-3"),
    ("kW kilowatt kilowatts 千瓦", 10**6, "g m^2 s^-3"),
    ("kWh", 3600 * 10**6, "g m^2 s^-2"),
    ("Pa pascal pascals 帕", 1000, "g m^-1 s^-2"),
    ("kPa kilopascal kilopascals", 10**6, "g m^-1 s^-2"),
    ("atm atmosphere atmospheres", 101_325_000, "g m^-1 s^-2"),
    ("V volt volts 伏", 1000, "g m^2 s^-3 A^-1"),
    ("ohm ohms Ω Omega 欧", 1000, "g m^2 s^-3 A^-2"),
    ("kΩ kiloohm kilohm kilohms kOmega", 10**6, "g m^2 s^-3 A^-2"),
    ("Hz hertz 赫兹", 1, "s^-1"),
    ("kHz kilohertz", 1000, "s^-1"),
    ("mph", _MILE / 3600, "m s^-1"),
    ("kmh kph kmph", _KILO / 3600, "m s^-1"),
    ("knot knots", Fraction(1852, 3600), "m s^-1"),
    ("mpg", _MILE, "m gallon^-1"),
    ("rpm", Fraction(1, 60), "rev s^-1"),
    ("am", 1, "am"),
    ("pm", 1, "pm"),
)
_NAMES = {
    spelling: spellings.split()[0] for spellings, _, _ in _TABLE for spelling in spellings.split()
}

Dimension = dict[str, int]


def _dimension(text: str) -> Dimension:
    pairs = (part.partition("^") for part in text.split())
    return {name: int(power or 1) for name, _, power in pairs}


_SIZES = {
    spellings.split()[0]: (Fraction(size), _dimension(base)) for spellings, size, base in _TABLE
}
_TEMPERATURES = frozenset(("celsius", "fahrenheit"))

_RAISED_BEFORE = {"square": 2, "sq": 2, "cubic": 3, "cu": 3}
_RAISED_BEHIND = {"squared": 2, "cubed": 3}
_RAISED_PREFIX = {"平方": 2, "立方": 3}
_PART = re.compile(
    r"(?P<times>\\cdot(?![a-z])|\\times(?![a-z])|[·*⋅])|(?P<per>/|每|per(?![A-Za-z]))"
    r"|(?P<power>\^\s*\{?\s*-?\d+\s*\}?|(?<=[A-Za-z])[2-9](?!\d))|(?P<open>\()|(?P<close>\))"
    r"|(?P<word>[°μk]?[A-Za-zΩ]+|[$¢€£¥₹Ω]|[\u4e00-\u9fff]+)|(?P<skip>\\[, ;]|[{}\s.~-])"
)


@lru_cache(maxsize=CACHED_UNITS)
def canonical(unit: str) -> tuple[str, bool]:
    """A unit in one spelling, and whether it is a known unit at all.

    "square feet" and "ft^2" are "ft^2"; "miles per hour" and "mi/h" are "h^-1 mi".
    """
    powers = _powers(unit) if len(unit) <= MAX_UNIT_CHARS else None
    if powers:
        parts = (name if power == 1 else f"{name}^{power}" for name, power in powers.items())
        return " ".join(sorted(parts)), True
    return " ".join(unit.replace(".", "").lower().split()).rstrip("s"), False


def _powers(unit: str) -> dict[str, int] | None:
    """The named units with their powers; None when a word is no unit."""
    powers: list[int] = []
    names: list[str] = []
    sign = group = 1  # of the next unit's power, and of those in open parentheses
    raised, at = 1, 0
    while at < len(unit):
        match = _PART.match(unit, at)
        if match is None:
            return None
        at = match.end()
        kind, text = match.lastgroup, match.group()
        if kind == "per":
            sign = -group
        elif kind == "open":
            group = sign
        elif kind == "close":
            sign = group = 1
        elif kind == "power":
            power = int(text.strip("^{} \t"))
            if not powers or not 1 <= abs(power) <= MAX_UNIT_POWER:
                return None
            powers[-1] *= power
        elif kind == "word":
            low = text.lower()
            if low in _RAISED_BEFORE:
                raised = _RAISED_BEFORE[low]
                continue
            if low in _RAISED_BEHIND and powers:
                powers[-1] *= _RAISED_BEHIND[low]
                continue
            if text[:2] in _RAISED_PREFIX and len(text) > 2:
                raised, text = _RAISED_PREFIX[text[:2]], text[2:]
            name = _NAMES.get(text) or (_NAMES.get(text.lower()) if text not in _LETTERS else None)
            if name is None:
                return None
            names.append(name)
            powers.append(sign * raised)
            sign, raised = group, 1
    if raised != 1 or not names:
        return None
    total: dict[str, int] = {}
    for name, power in zip(names, powers, strict=True):
        total[name] = total.get(name, 0) + power
    return {name: power for name, power in total.items() if power}


_LETTERS = frozenset("MSGHTI")
"""Capitals that are not the unit their small letter is. L is a litre, N a newton."""


_MAY_BE_SAME = frozenset(
    frozenset(pair)
    for pair in (("deg", "celsius"), ("deg", "fahrenheit"), ("lb", "gbp"), ("yensign", "yen"),
                 ("yensign", "yuan"))
)  # fmt: skip
"""A degree leaves open of what, a pound of what, and one sign stands for two currencies."""


def factor(unit: str, other: str) -> Fraction | None:
    """How many of `other` make one `unit` (both canonical); None when they do not convert."""
    if frozenset((unit, other)) in _MAY_BE_SAME:
        return Fraction(1)
    first, second = _measured(unit), _measured(other)
    if first is None or second is None or first[1] != second[1]:
        return None
    return first[0] / second[0]


@lru_cache(maxsize=CACHED_UNITS)
def _measured(unit: str) -> tuple[Fraction, Dimension] | None:
    """The size and dimension of a canonical unit."""
    size, total = Fraction(1), Dimension()
    for part in unit.split():
        name, _, text = part.partition("^")
        if name not in _SIZES or (name in _TEMPERATURES and part != unit):
            return None
        power = int(text or 1)
        size *= _SIZES[name][0] ** power
        for base, exponent in _SIZES[name][1].items():
            total[base] = total.get(base, 0) + exponent * power
    return size, {base: power for base, power in total.items() if power}
