"""Marks of rows that were computed by other libraries or on other processors than the rows beside them.

Numbers are promised to be equal to the last bit where torch, the capability of the processor, its family and the
threads are equal; elsewhere within the spread over seeds.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from mrbench.engine.result import Result
from mrbench.results.table import Row


def with_machines(rows: Sequence[Row]) -> list[Row]:
    """The rows of methods that learn, marked with what they do not share: torch's version, the processor's capability.

    What was not recorded is not compared.
    """
    marks: dict[int, list[str]] = {}
    for name, fact in (("torch", torch_of), ("processor capability", capability_of)):
        found = {place: _values(row, fact) for place, row in enumerate(rows)}
        if len({value for own in found.values() for value in own}) > 1:
            for place, own in found.items():
                marks.setdefault(place, []).extend([f"{name} {' and '.join(own)}"] if own else [])
    return [replace(row, caveats=(*row.caveats, *marks.get(place, ()))) for place, row in enumerate(rows)]


def torch_of(result: Result) -> str:
    """The version of torch that a cell was computed with; blank where that was not recorded."""
    return result.versions.get("torch", "")


def capability_of(result: Result) -> str:
    """What torch says of the processor's vector instructions; blank where that was not recorded."""
    return str(result.environment.get("cpu_capability", ""))


def _values(row: Row, fact: Callable[[Result], str]) -> list[str]:
    learned = [one for one in row.run.done if one.spec.kind == "method"] if row.run else []
    return sorted(filter(None, {fact(one) for one in learned}))
