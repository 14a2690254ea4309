"""What was run on what: the commands, versions and digests behind a table."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mrbench.engine.run import CellResult, Run


@dataclass(frozen=True)
class Fact:
    """A term and what there is to say about it; ``code``: written for machines."""

    term: str
    lines: tuple[str, ...]
    code: bool = False


def facts_of(results: Sequence[tuple[Run, Sequence[CellResult]]]) -> list[Fact]:
    """The facts of one data set, from all runs; what is unknown is left out."""
    cells = [cell for _, own in results for cell in own]
    records = [cell.record for cell in cells if cell.record is not None]
    return [fact for fact in _facts(results, cells, records) if any(fact.lines)]


def _facts(
    results: Sequence[tuple[Run, Sequence[CellResult]]],
    cells: Sequence[CellResult],
    records: Sequence[Mapping[str, Any]],
) -> Iterator[Fact]:
    description = results[0][0].descriptions[cells[0].spec.dataset]
    yield Fact("Run", tuple(run.id for run, _ in results), code=True)
    yield Fact("Command", tuple(run.command for run, _ in results), code=True)
    yield Fact("Computed", _dates(records))
    yield Fact("Versions", _merged(record.get("versions") for record in records))
    yield Fact("On", _merged(_machine(record.get("environment")) for record in records))
    yield Fact("Raters", (f"{', '.join(map(str, description['rater_names']))} ({description['raters']})",))
    yield Fact("Classes", (", ".join(map(str, description["classes"])),))
    yield Fact("Data", (cells[0].spec.data_digest,), code=True)
    yield Fact("Split", (f"{cells[0].spec.split} {cells[0].spec.split_digest}",), code=True)
    yield Fact("Licence of the data", (str(description["licence"]),))
    yield Fact("Cite", (str(description["citation"]),))


def _dates(records: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    # ISO dates in UTC sort as texts.
    written = sorted(str(record["written"]) for record in records if record.get("written"))
    days = dict.fromkeys(text[:16].replace("T", " ") for text in (written[:1] + written[-1:]))
    return (" to ".join(days) + " UTC",) if days else ()


def _machine(environment: Any) -> dict[str, Any]:
    names = ("device", "processor", "threads", "system")
    return {name: environment[name] for name in names if environment.get(name)} if _is_map(environment) else {}


def _merged(found: Any) -> tuple[str, ...]:
    """One text of names with every value that they have in any cell."""
    values: dict[str, dict[str, None]] = {}
    for facts in found:
        for name, value in facts.items() if _is_map(facts) else ():
            if value not in (None, ""):
                values.setdefault(str(name), {})[str(value)] = None
    return (", ".join(f"{name} {' and '.join(own)}" for name, own in values.items()),) if values else ()


def _is_map(value: Any) -> bool:
    return isinstance(value, Mapping)
