"""Numbers as the pages print them."""


def figure(value: float) -> str:
    """A metric's value."""
    return f"{value:.4f}" if abs(value) < 1000 else f"{value:.5g}"


def spread(value: float | None) -> str:
    """A standard deviation; blank where there is none."""
    return "" if value is None else f"{value:.3f}" if value < 1000 else f"{value:.3g}"


def interval(low: float | None, high: float | None) -> str:
    """An interval; blank where there is none."""
    if low is None or high is None:
        return ""
    return f"{_short(low)}{'–' if low >= 0 else ' to '}{_short(high)}"


def _short(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 1000 else f"{value:.4g}"


def cost(value: float | None) -> str:
    """Seconds, milliseconds, MiB or a count; blank where it is not known."""
    if value is None:
        return ""
    if value >= 1e9:
        return f"{value:.3g}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def day(written: str) -> str:
    """The day of an ISO time."""
    return written[:10]
