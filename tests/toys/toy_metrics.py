"""Metrics with faults."""

from mrbench import metric


@metric("toy-broken", "a metric that raises", direction="higher", range=(0, 1), needs="samples")
def broken(tables, protocol):
    raise ZeroDivisionError("a fault of the author's")
