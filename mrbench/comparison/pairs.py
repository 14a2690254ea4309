"""Which methods are compared with which."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mrbench.comparison.selection import Operand, method_key
from mrbench.errors import IncompatibleError, UnknownNameError, UsageError
from mrbench.results.method_run import MethodRun


@dataclass(frozen=True, eq=False)
class Pair:
    """Two methods on one data set; B is looked at from A."""

    a: MethodRun
    b: MethodRun

    @property
    def mixed(self) -> tuple[str, ...]:
        """What differs between data and splits of the two, in words; empty where nothing does."""
        return tuple(
            f"MIXED: tested on different {what}: {found}; such a difference is no result, and is not tested"
            for what, found in self._different()
        )

    def check_same_data(self) -> None:
        """Refuses to mix data or splits.

        Raises:
            IncompatibleError: the digests differ.
        """
        for what, found in self._different():
            raise IncompatibleError(
                f"{self.a.title} and {self.b.title} were tested on different {what} of {self.a.dataset!r}",
                expected="one digest",
                found=found,
                hint="run both with the same options of the data set and the same --split; --allow-mixed prints them "
                "nevertheless, labelled and untested",
            )

    def _different(self) -> Iterator[tuple[str, str]]:
        digests = self.a.digests | self.b.digests
        for place, what in enumerate(("data", "splits")):
            found = sorted({digest[place] for digest in digests})
            if len(found) > 1:
                yield what, " and ".join(digest[:12] for digest in found)


@dataclass(frozen=True, eq=False)
class Pairing:
    """The pairs of a comparison.

    Attributes:
        how: they were found, in words.
        notes: what was left out.
    """

    how: str
    pairs: Sequence[Pair]
    notes: Sequence[str] = ()


def pair(operands: Sequence[Operand], against: str = "", *, each: bool = False) -> Pairing:
    """The pairs that some operands stand for.

    Args:
        operands: at least one.
        against: the method that the others are compared with.
        each: compare within each run, not between them.

    Raises:
        UsageError: nothing to compare, or too much to guess what is meant.
        UnknownNameError: no such method in the runs.
        IncompatibleError: no data set in common.
    """
    if each:
        return pair_each(operands, against)
    if len(operands) == 1:
        return pair_within(operands[0], against)
    if len(operands) == 2 and not against:
        return pair_between(*operands)
    return pair_among(operands, against)


def pair_within(operand: Operand, against: str = "") -> Pairing:
    """Every method of a run with one of them: ``against``, else the first row of each table.

    Raises:
        UsageError: an operand of one method.
        UnknownNameError: no such method in the run.
    """
    if operand.method:
        words = f"mrbench compare {operand.run.id} --against {operand.method}"
        raise UsageError(
            f"{operand.title} has nothing beside it to compare with", hint=f"{words}; or name a second run"
        )
    chosen = method_key(against, operand.run) if against else ""
    found = _with_first([operand.runs(dataset) for dataset in operand.datasets], chosen)
    if not found.pairs:
        raise UsageError(f"{operand.title} has one method only", hint="mrbench compare RUN_A RUN_B")
    return _applicable(found)


def pair_each(operands: Sequence[Operand], against: str = "") -> Pairing:
    """As :func:`pair_within`, run by run."""
    found = [pair_within(operand, against) for operand in operands]
    pairs = [pair for one in found for pair in one.pairs]
    notes = dict.fromkeys(note for one in found for note in one.notes)
    return Pairing(f"within each run, {found[0].how}", pairs, list(notes))


def pair_among(operands: Sequence[Operand], against: str = "") -> Pairing:
    """Every method of several runs with one of them: ``against`` in the first run that has it, else the first row.

    Raises:
        UsageError: no two different methods on one data set.
        UnknownNameError: no such method in the runs.
    """
    keys = {row.method for operand in operands for dataset in operand.datasets for row in operand.runs(dataset)}
    chosen = [key for key in sorted(keys) if against in (key, key.rpartition(":")[2])][:1] if against else [""]
    if not chosen:
        raise UnknownNameError("method", against, keys, where="in these runs")
    datasets = dict.fromkeys(dataset for operand in operands for dataset in operand.datasets)
    found = _with_first([_different_rows(operands, dataset) for dataset in datasets], chosen[0])
    if not found.pairs:
        raise UsageError(
            "the runs have no two different methods on one data set", hint="mrbench compare RUN --against METHOD"
        )
    return _applicable(found)


def _different_rows(operands: Sequence[Operand], dataset: str) -> list[MethodRun]:
    rows: list[MethodRun] = []
    for operand in operands:
        own = operand.runs(dataset) if dataset in operand.datasets else []
        rows += [row for row in own if not any(row.same_as(other) for other in rows)]
    return rows


def _with_first(tables: Sequence[Sequence[MethodRun]], chosen: str) -> Pairing:
    how = f"all methods against {chosen}" if chosen else "all methods against the first; --against names another"
    firsts = [(rows, [row for row in rows if row.method == chosen or not chosen][:1]) for rows in tables]
    return Pairing(how, [Pair(a, b) for rows, first in firsts for a in first for b in rows if b is not a])


def pair_between(a: Operand, b: Operand) -> Pairing:
    """Methods of equal names in both; where there are none, and one side has one method, that one with all others.

    Raises:
        IncompatibleError: no data set in common.
        UsageError: both are the same cells, or both have several methods and no name in common.
    """
    shared = [dataset for dataset in a.datasets if dataset in b.datasets]
    if not shared:
        raise IncompatibleError(
            f"{a.title} and {b.title} have no data set in common",
            expected=", ".join(a.datasets),
            found=", ".join(b.datasets),
        )
    rows = [Pair(x, y) for dataset in shared for x in a.runs(dataset) for y in b.runs(dataset)]
    everything = [pair for pair in rows if not pair.a.same_as(pair.b)]
    if not everything:
        raise UsageError(f"{a.title} and {b.title} are the same cells", hint="mrbench compare RUN --against METHOD")
    notes = [f"{name}: in one of the runs only" for name in sorted({*a.datasets} ^ {*b.datasets})]
    notes += [f"{pair.a.method}: the same cells in both" for pair in rows if pair.a.same_as(pair.b)]
    equal = [pair for pair in everything if pair.a.method == pair.b.method]
    if equal:
        return _applicable(Pairing("methods of equal names", equal, notes))
    sides = [{row.method for dataset in shared for row in side.runs(dataset)} for side in (a, b)]
    if min(map(len, sides)) > 1:
        raise _ambiguous(a, b, sides)
    how = "" if len(rows) == len(shared) else "no equal names: the one method against all of the other run"
    return _applicable(Pairing(how, everything, notes))


def _ambiguous(a: Operand, b: Operand, sides: Sequence[set[str]]) -> UsageError:
    first, second = (sorted(names) for names in sides)
    same = sides[0] == sides[1]
    return UsageError(
        f"{a.title} and {b.title} have no method in common" + (" that differs" if same else "") + ": which with which?",
        expected=f"{a.run.id}: {', '.join(first)}; {b.run.id}: {', '.join(second)}",
        hint=f"mrbench compare {a.run.id}:{first[0]} {b.run.id}:{second[-1]} or: --against METHOD, all with that one",
    )


def _applicable(pairing: Pairing) -> Pairing:
    idle = dict.fromkeys(
        f"{row.method} on {row.dataset}: not applicable"
        for pair in pairing.pairs
        for row in (pair.a, pair.b)
        if not row.applies
    )
    pairs = [pair for pair in pairing.pairs if pair.a.applies and pair.b.applies]
    return Pairing(pairing.how, pairs, [*pairing.notes, *idle])
