from fractions import Fraction

import pytest

from verifier.math import Outcome, check
from verifier.math.units import MAX_UNIT_CHARS, canonical, factor


@pytest.mark.parametrize(
    ("one", "other", "size"),
    [
        ("km/h", "m/s", Fraction(5, 18)),
        ("g/cm^3", "kg/m^3", Fraction(1000)),
        ("mph", "miles per hour", Fraction(1)),
        ("mpg", "miles per gallon", Fraction(1)),
        ("L", "dm^3", Fraction(1)),
        ("litres", r"cm^{3}", Fraction(1000)),
        ("ha", "square metres", Fraction(10_000)),
        ("yd", "in", Fraction(36)),
        ("kWh", "J", Fraction(3_600_000)),
        ("N", "kg m/s^2", Fraction(1)),
        ("J/(kg K)", r"J\cdot kg^{-1} K^{-1}", Fraction(1)),
        ("days", "min", Fraction(1440)),
        ("平方千米", "公顷", Fraction(100)),
        ("千米/时", "km/h", Fraction(1)),
        ("dollars", "cents", Fraction(100)),
        ("kΩ", "ohms", Fraction(1000)),
        ("μm", "nm", Fraction(1000)),
        ("atm", "Pa", Fraction(101_325)),
        ("mmol/L", "mol/L", Fraction(1, 1000)),
        ("μg", "μm", None),
        ("m/s", "m/s^2", None),
        ("cm^2", "cm^3", None),
        ("months", "days", None),
        ("dollars", "euros", None),
        ("celsius", "fahrenheit", None),
        ("am", "pm", None),
        ("h", "m", None),
    ],
)
def test_conversion_is_exact(one: str, other: str, size: Fraction | None) -> None:
    first, second = canonical(one), canonical(other)
    assert first[1]
    assert second[1]
    assert factor(first[0], second[0]) == size


@pytest.mark.parametrize(
    "text", ["", "people", "M", "m^", "m^99", "^2", "cm" * MAX_UNIT_CHARS, "/", "square", "m;s"]
)
def test_no_unit(text: str) -> None:
    assert not canonical(text)[1]


@pytest.mark.parametrize(
    ("gold", "answer", "same"),
    [
        ("3", r"3:00 \text{ pm}", True),
        ("2", r"3:00 \text{ pm}", False),
        ("3:00", "4:00", False),
        (r"\frac34", "3:4", True),
    ],
)
def test_hours_without_minutes(gold: str, answer: str, same: bool) -> None:
    found = check([gold], rf"\boxed{{{answer}}}").outcome
    assert found is (Outcome.MATCH if same else Outcome.NO_MATCH)
