"""What is compared: the methods of a run, or one of them, as ``RUN`` or ``RUN:METHOD`` names them."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mrbench.engine.run import Run, run_and_rest
from mrbench.errors import UnknownNameError
from mrbench.results.method_run import MethodRun, runs_of


@dataclass(frozen=True, eq=False)
class Operand:
    """A run, or one method of it.

    Attributes:
        method: its key in the run; empty: all methods.
    """

    run: Run
    method: str = ""

    @property
    def datasets(self) -> list[str]:
        """The run's data sets."""
        return list(dict.fromkeys(spec.domain for spec, _ in self.run.cells))

    @property
    def title(self) -> str:
        """The operand in words."""
        return f"{self.method} of run {self.run.id}" if self.method else f"run {self.run.id}"

    @cached_property
    def _runs(self) -> list[MethodRun]:
        return [one for one in runs_of(self.run) if self.method in ("", one.method)]

    def runs(self, dataset: str) -> list[MethodRun]:
        """Its methods on a data set, in the order of the table: human references come last."""
        return sorted((one for one in self._runs if one.dataset == dataset), key=lambda one: one.human)


def parse_operand(text: str, results: Path) -> Operand:
    """The operand that ``RUN`` or ``RUN:METHOD`` names; the names of both may hold colons.

    Raises:
        UnknownNameError: no such run, or no such method in it; names the nearest.
        DataError, IncompatibleError: the run cannot be read.
    """
    run, method = run_and_rest(text, results)
    return Operand(run, method_key(method, run) if method else "")


def method_key(name: str, run: Run) -> str:
    """The key of a method in a run; its bare name will do where one method alone has it.

    Raises:
        UnknownNameError: no such method in the run.
    """
    known = dict.fromkeys(spec.method for spec, _ in run.cells)
    found = [key for key in known if key == name] or [key for key in known if key.rpartition(":")[2] == name]
    if len(found) != 1:
        raise UnknownNameError("method", name, known, where=f"in the run {run.id}", hint=f"mrbench show {run.id}")
    return found[0]
