"""What was run on what: the commands, versions and digests behind a table."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mrbench.engine.result import Result
from mrbench.engine.run import Run
from mrbench.results.method_run import MethodRun


@dataclass(frozen=True)
class Fact:
    """A term and what there is to say about it; ``code``: written for machines."""

    term: str
    lines: tuple[str, ...]
    code: bool = False


def facts_of(methods: Sequence[MethodRun], runs: Sequence[Run]) -> list[Fact]:
    """The facts of one data set; what is unknown is left out.

    Args:
        methods: at least one.
        runs: those that they come from.
    """
    results = [result for method in methods for result in method.results]
    return [fact for fact in _facts(methods[0], results, runs) if any(fact.lines)]


def _facts(first: MethodRun, results: Sequence[Result], runs: Sequence[Run]) -> Iterator[Fact]:
    description, spec = first.description, first.spec
    yield Fact("Run", tuple(run.id for run in runs), code=True)
    yield Fact("Command", tuple(run.command for run in runs), code=True)
    yield Fact("Computed", _dates(results))
    yield Fact("Versions", _merged(result.versions for result in results))
    yield Fact("On", _merged(_machine(result.environment) for result in results))
    yield Fact("Raters", (f"{', '.join(map(str, description['rater_names']))} ({description['raters']})",))
    yield Fact("Classes", (", ".join(map(str, description["classes"])),))
    if spec.test_on:
        yield Fact("Trained on", (f"{spec.dataset}, data {spec.data_digest}, split {spec.split} {spec.split_digest}",))
    yield Fact("Data", (spec.tested.data_digest,), code=True)
    yield Fact("Split", (f"{spec.tested.split} {spec.tested.split_digest}",), code=True)
    yield Fact("Licence of the data", (str(description["licence"]),))
    yield Fact("Cite", (str(description["citation"]),))


def _dates(results: Sequence[Result]) -> tuple[str, ...]:
    # ISO dates in UTC sort as texts.
    written = sorted(result.written for result in results if result.written)
    days = dict.fromkeys(text[:16].replace("T", " ") for text in (written[:1] + written[-1:]))
    return (" to ".join(days) + " UTC",) if days else ()


def _machine(environment: Mapping[str, Any]) -> dict[str, Any]:
    names = ("device", "processor", "threads", "system")
    return {name: environment[name] for name in names if environment.get(name)}


def _merged(found: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """One text of names with every value that they have in any cell."""
    values: dict[str, dict[str, None]] = {}
    for facts in found:
        for name, value in facts.items():
            if value not in (None, ""):
                values.setdefault(str(name), {})[str(value)] = None
    return (", ".join(f"{name} {' and '.join(own)}" for name, own in values.items()),) if values else ()
