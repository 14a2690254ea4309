"""Which methods are compared with which."""

from collections.abc import Sequence
from dataclasses import dataclass

from mrbench.compare.operands import MethodCells, Operand, method_key
from mrbench.errors import IncompatibleError, UsageError


@dataclass(frozen=True, eq=False)
class Pair:
    """Two methods on one data set; B is looked at from A."""

    a: MethodCells
    b: MethodCells

    def check_same_data(self) -> None:
        """Refuses to mix data or splits.

        Raises:
            IncompatibleError: the digests differ.
        """
        digests = self.a.digests | self.b.digests
        for place, what in enumerate(("data", "splits")):
            found = sorted({digest[place] for digest in digests})
            if len(found) > 1:
                raise IncompatibleError(
                    f"{self.a.title} and {self.b.title} were tested on different {what} of {self.a.dataset!r}",
                    expected="one digest",
                    found=" and ".join(digest[:12] for digest in found),
                    hint="run both with the same options of the data set and the same --split",
                )


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
    pairs = []
    for dataset in operand.datasets:
        rows = operand.rows(dataset)
        first = [row for row in rows if row.method == chosen or not chosen][:1]
        pairs += [Pair(a, b) for a in first for b in rows if b is not a]
    if not pairs:
        raise UsageError(f"{operand.title} has one method only", hint="mrbench compare RUN_A RUN_B")
    how = f"all methods against {chosen}" if chosen else "all methods against the first; --against names another"
    return _applicable(Pairing(how, pairs))


def pair_between(a: Operand, b: Operand) -> Pairing:
    """Methods of equal names in both; where there are none, all of A with all of B.

    Raises:
        IncompatibleError: no data set in common.
        UsageError: both are the same cells.
    """
    shared = [dataset for dataset in a.datasets if dataset in b.datasets]
    if not shared:
        raise IncompatibleError(
            f"{a.title} and {b.title} have no data set in common",
            expected=", ".join(a.datasets),
            found=", ".join(b.datasets),
        )
    rows = [Pair(x, y) for dataset in shared for x in a.rows(dataset) for y in b.rows(dataset)]
    everything = [pair for pair in rows if not pair.a.same_as(pair.b)]
    if not everything:
        raise UsageError(f"{a.title} and {b.title} are the same cells", hint="mrbench compare RUN --against METHOD")
    notes = [f"{name}: in one of the runs only" for name in sorted({*a.datasets} ^ {*b.datasets})]
    notes += [f"{pair.a.method}: the same cells in both" for pair in rows if pair.a.same_as(pair.b)]
    equal = [pair for pair in everything if pair.a.method == pair.b.method]
    if equal:
        return _applicable(Pairing("methods of equal names", equal, notes))
    how = "" if len(rows) == len(shared) else "no equal names: all of A against all of B"
    return _applicable(Pairing(how, everything, notes))


def _applicable(pairing: Pairing) -> Pairing:
    idle = dict.fromkeys(
        f"{row.method} on {row.dataset}: not applicable"
        for pair in pairing.pairs
        for row in (pair.a, pair.b)
        if not row.applies
    )
    pairs = [pair for pair in pairing.pairs if pair.a.applies and pair.b.applies]
    return Pairing(pairing.how, pairs, [*pairing.notes, *idle])
