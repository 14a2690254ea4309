"""Which training answers: ``RUN:[DATASET:]METHOD:FOLD[:SEED]``."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mrbench.engine.cell import CellSpec
from mrbench.engine.result import Result
from mrbench.engine.run import Run, run_and_rest
from mrbench.errors import UnknownNameError, UsageError


@dataclass(frozen=True, eq=False)
class Trainings:
    """Cells of one method on one data set, which differ by fold and seed.

    Attributes:
        run: that they come from.
        results: of the cells, at least one, all finished.
    """

    run: Run
    results: Sequence[Result]

    @property
    def spec(self) -> CellSpec:
        """Of the first one."""
        return self.results[0].spec

    @property
    def names(self) -> list[str]:
        """The exact name of each."""
        return [exact_name(self.run, result.spec) for result in self.results]


def exact_name(run: Run, spec: CellSpec) -> str:
    """The name that one cell alone has."""
    return f"{run.id}:{spec.domain}:{spec.method}:{spec.fold}:{spec.seed}"


def find_trainings(text: str, results: Path, *, ensemble: bool = False) -> Trainings:
    """The training that a name means, or all that it means.

    Args:
        text: ``RUN``, then as much of the data set, the method, the fold and the seed as tells one training from the
            others; the names of runs and methods may hold colons themselves.
        results: the results folder.
        ensemble: take several, of one method on one data set.

    Raises:
        UnknownNameError: no such run, or no such training in it.
        UsageError: several trainings, listed by their exact names; or none that has finished or has a model.
    """
    run, rest = run_and_rest(text, results)
    cells = [one for one in run.cell_results() if one.spec.kind == "method"]
    meant = [one for one in cells if not rest or rest in set(_names(one.spec))]
    if not meant:
        raise _unknown(run, rest, cells)
    done = [one for one in meant if one.finished]
    if not done:
        found = meant[0].failure
        raise UsageError(f"no training that {text!r} means has finished", found=found, hint=f"mrbench show {run.id}")
    chosen = Trainings(run, done)
    if len({(one.spec.domain, one.spec.method) for one in done}) > 1 or (len(done) > 1 and not ensemble):
        raise _several(text, chosen)
    return chosen


def _names(spec: CellSpec) -> Iterator[str]:
    bare = spec.method.rpartition(":")[2]
    for method in (spec.method, bare):
        for head in (method, f"{spec.domain}:{method}"):
            yield from (head, f"{head}:{spec.fold}", f"{head}:{spec.fold}:{spec.seed}")


def _unknown(run: Run, rest: str, cells: Sequence[Result]) -> UsageError:
    others = {result.spec.method for result in run.cell_results()} - {one.spec.method for one in cells}
    if rest.partition(":")[0] in others or not cells:
        return UsageError(
            f"{rest or run.id!r} of run {run.id} has no model",
            expected=", ".join(dict.fromkeys(one.spec.method for one in cells)) or "a run of a method that learns",
            found="a fusion of the raters' masks, or predictions made elsewhere",
        )
    known = [exact_name(run, one.spec).removeprefix(f"{run.id}:") for one in cells]
    return UnknownNameError("training", rest, known, where=f"of run {run.id}", hint=f"mrbench show {run.id}")


def _several(text: str, chosen: Trainings) -> UsageError:
    one_method = len({(result.spec.domain, result.spec.method) for result in chosen.results}) == 1
    return UsageError(
        f"{text!r} means {len(chosen.results)} trainings",
        expected="one of\n" + "\n".join(chosen.names),
        hint="give one of these names" + ("; mrbench predict --ensemble takes all of them" if one_method else ""),
    )
