"""Metrics with faults."""

from mrbench import Metric


class Broken(Metric):
    def statistics(self, tables, protocol):
        raise ZeroDivisionError("a fault of the author's")
