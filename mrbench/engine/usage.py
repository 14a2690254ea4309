"""The bytes of a results folder: by data set and method, by run, and of what no run refers to."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from mrbench.engine.inventory import Item, Kind
from mrbench.engine.unreferred import Holdings, What


@dataclass(frozen=True)
class Amount:
    """So many things of so many bytes."""

    count: int = 0
    bytes: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.count + other.count, self.bytes + other.bytes)


def amount(items: list[Item]) -> Amount:
    """Number and bytes of things."""
    return Amount(len(items), sum(item.bytes for item in items))


@dataclass(frozen=True)
class RunUsage:
    """What a run takes.

    Attributes:
        held: the cells and trainings that it refers to and that are there; ``alone``: those of no other run.
        own: bytes of ``run.json``; ``logs``: of its logs.
    """

    held: Amount
    alone: Amount
    own: int
    logs: int


def total(holdings: Holdings) -> int:
    """Bytes of everything."""
    return sum(item.bytes for item in holdings.inventory.items)


def by_kind(holdings: Holdings) -> dict[Kind, Amount]:
    """Number and bytes of each kind of thing; a partition of everything."""
    return {kind: amount(found) for kind in Kind if (found := holdings.inventory.of(kind))}


def by_method(holdings: Holdings) -> dict[tuple[str, str], dict[Kind, Amount]]:
    """Cells (failures among them) and trainings, by data set and by method or family, as their folders are named."""
    found: dict[tuple[str, str], dict[Kind, Amount]] = {}
    for item in holdings.inventory.of(Kind.CELL, Kind.FAILURE, Kind.TRAINING):
        kinds = found.setdefault((item.path.parts[1], item.path.parts[2]), {})
        kind = Kind.TRAINING if item.kind is Kind.TRAINING else Kind.CELL
        kinds[kind] = kinds.get(kind, Amount()) + amount([item])
    return dict(sorted(found.items()))


def by_run(holdings: Holdings) -> dict[str, RunUsage]:
    """What each run refers to; cells and trainings of several runs count in each."""
    held, alone = dict[str, Amount](), dict[str, Amount]()
    for item in holdings.inventory.of(Kind.CELL, Kind.FAILURE, Kind.TRAINING):
        names = holdings.references.to(item.final)
        for name in names:
            held[name] = held.get(name, Amount()) + amount([item])
            if len(names) == 1:
                alone[name] = alone.get(name, Amount()) + amount([item])
    own, logs = Counter[str](), Counter[str]()
    for item in holdings.inventory.of(Kind.RUN, Kind.LOGS):
        (own if item.kind is Kind.RUN else logs)[item.path.parts[1]] += item.bytes
    return {n: RunUsage(held.get(n, Amount()), alone.get(n, Amount()), own[n], logs[n]) for n in sorted(own)}


def unreferred(holdings: Holdings) -> Mapping[str, Amount]:
    """Number and bytes of what no run refers to, by what it is in words."""
    groups = holdings.groups
    trainings = groups.get(What.TRAININGS, [])
    found = {
        "cells of no run": groups.get(What.CELLS, []),
        "trainings of no run": [one for one in trainings if one.path in holdings.needed],
        "trainings that no cell needs": [one for one in trainings if one.path not in holdings.needed],
        "failed attempts": groups.get(What.ATTEMPTS, []),
        "attempts to continue from": groups.get(What.CHECKPOINTS, []),
        "damaged": groups.get(What.DAMAGED, []),
    }
    return {name: amount(items) for name, items in found.items()}
