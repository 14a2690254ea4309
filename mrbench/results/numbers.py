"""Numbers as text: short in terminals and figures, without a zero before the point; full on pages and in files."""

from collections.abc import Callable

LARGE = 1000
"""From here on a page keeps digits, not decimals."""

LEAST_P = 0.00005
"""What is below is not written out."""


def short(value: float, digits: int = 4) -> str:
    """A metric's value, or with three digits a spread; what rounds to zero has no sign."""
    text = f"{value:z.{digits}f}"
    return text.replace("0.", ".", 1) if text.lstrip("+-").startswith("0.") else text


def signed(value: float, digits: int = 4) -> str:
    """A difference with its sign, 0 without one."""
    text = short(value, digits)
    return f"+{text}" if value > 0 and float(text) else text


def short_interval(low: float, high: float, number: Callable[[float], str] = short) -> str:
    """Both ends of an interval, each as ``number`` writes it."""
    return f"{number(low)} .. {number(high)}"


def short_p(value: float) -> str:
    """A p value in a table."""
    return "<.0001" if value < LEAST_P else short(value)


def p_relation(value: float) -> str:
    """A p value in a sentence, behind its letter."""
    return "< .0001" if value < LEAST_P else f"= {short(value)}"


def full(value: float) -> str:
    """A metric's value."""
    return f"{value:.4f}" if abs(value) < LARGE else f"{value:.5g}"


def full_spread(value: float | None) -> str:
    """A standard deviation; blank where there is none."""
    return "" if value is None else f"{value:.3f}" if value < LARGE else f"{value:.3g}"


def full_interval(low: float | None, high: float | None) -> str:
    """Both ends of an interval; blank where there is none."""
    if low is None or high is None:
        return ""
    return f"{_end(low)}{'–' if low >= 0 else ' to '}{_end(high)}"


def _end(value: float) -> str:
    return f"{value:.3f}" if abs(value) < LARGE else f"{value:.4g}"


def cost_text(value: float | None) -> str:
    """Seconds, milliseconds, MiB or a count, in terminals and on pages; blank where it is not known."""
    if value is None:
        return ""
    return f"{value:,.0f}" if 100 <= value < 1e9 else f"{value:.3g}"


def tick(value: float) -> str:
    """A number beside an axis."""
    for size, letter in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"
