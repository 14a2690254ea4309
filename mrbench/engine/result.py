"""A result: one cell as it stands, typed, whether it lies in a results folder or was packed with an entry."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from mrbench.engine.cell import REPAIR, CellSpec, Status
from mrbench.engine.manifest import FILES, check_file
from mrbench.errors import IncompatibleError, MrbenchError
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.metrics.scores import Scores
from mrbench.registry import Plugin


@dataclass(frozen=True, eq=False)
class StoredScores:
    """The scores of a cell, case by case.

    Attributes:
        cases: of the metrics that have a value.
        faults: metrics that raised or gave a value that is not finite, with what they did; they have no rows.
    """

    cases: Scores
    faults: Mapping[str, str]


class ScoreFiles(Protocol):
    """Where the scores of a finished cell's cases are read from."""

    def read(self, metrics: Mapping[str, Plugin[Any]], protocol: ScoringProtocol, samples: int | None) -> StoredScores:
        """The scores under a protocol, of the first so many samples where ``samples`` says so.

        Raises:
            DataError: a file cannot be read.
            IncompatibleError: they cannot be had under this protocol.
            UsageError: fewer samples are stored.
        """


@dataclass(frozen=True, eq=False)
class Result:
    """Where one cell stands and what it left.

    Attributes:
        record: what it left behind, finished or failed; None while it is neither.
        files: of the scores of its cases; None where it left none.
        folder: where a finished cell lies; None where it was packed.
    """

    spec: CellSpec
    status: Status
    reason: str = ""
    record: Mapping[str, Any] | None = None
    files: ScoreFiles | None = None
    folder: Path | None = None

    def __repr__(self) -> str:
        return f"<Result {self.spec.title}: {self.status}>"  # a notebook shows it; the record is pages long

    @property
    def finished(self) -> bool:
        """Is the cell ok?"""
        return self.status is Status.OK

    @property
    def failure(self) -> str:
        """One line on a cell that did not finish."""
        return (
            f"{self.spec.place} {self.status}: {'; '.join(' '.join(line.split()) for line in self.reason.splitlines())}"
        )

    @property
    def versions(self) -> Mapping[str, str]:
        """Versions of mrbench, Python, libraries and the plugin, by name."""
        return self._fact("versions", {})

    @property
    def environment(self) -> Mapping[str, Any]:
        """What the cell ran on."""
        return self._fact("environment", {})

    @property
    def written(self) -> str:
        """When the record was written, in ISO 8601, UTC; empty where there is none."""
        return str(self._fact("written", ""))

    @property
    def alone(self) -> bool:
        """Did it have its device to itself? Costs of others are not compared."""
        return not self.environment.get("shared_device", False)

    @property
    def faults(self) -> tuple[str, ...]:
        """What metrics did wrong, a line each."""
        return tuple(self._fact("metric_faults", {}).values())

    @property
    def warnings(self) -> tuple[str, ...]:
        """What its plugin did that harmed no number, e.g. what it left running; a line each."""
        return tuple(f"{self.spec.place} {line}" for line in self._fact("warnings", ()))

    def seconds(self, phase: str) -> float | None:
        """Wall time of ``prepare``, ``fit``, ``predict`` or ``score``; None where there was none.

        Of a training on a shared device, or of one that another cell made, None.
        """
        if phase == "fit" and self.profile.get("trained_on_shared_device"):
            return None
        found = self.profile.get("phases", {}).get(phase)
        return float(found["seconds"]) if found else None

    @property
    def peak_memory_mib(self) -> float | None:
        """The largest of all phases."""
        phases = self.profile.get("phases", {}).values()
        return max((float(phase["peak_memory_mib"]) for phase in phases), default=None)

    @property
    def profile(self) -> Mapping[str, Any]:
        """Times, memory and sizes as recorded."""
        return self._fact("profile", {})

    def _fact(self, name: str, otherwise: Any) -> Any:
        return (self.record or {}).get(name, otherwise)

    def damaged(self, error: MrbenchError) -> "Result":
        """The same cell, once a file of it turned out to be unreadable, or to be another version's."""
        where = f"remove {self.folder} and run" if self.folder else "run"
        mends = f"{where} the same command again: it computes this cell anew and keeps the others"
        if isinstance(error, IncompatibleError) or error.hint == REPAIR:
            mends = error.hint
        return replace(self, status=Status.DAMAGED, reason=f"{error.fault}; {mends}", files=None)

    def file(self, name: str) -> Path | None:
        """The path of a file that the cell left, once it is what was written; None where the cell left none.

        Raises:
            DataError: it is not there, or not what was written.
        """
        record = self.record or {}
        return check_file(self.folder, record, name) if self.folder and name in record.get(FILES, {}) else None

    def scores(
        self, metrics: Mapping[str, Plugin[Any]], protocol: ScoringProtocol, samples: int | None = None
    ) -> StoredScores:
        """The scores of a finished cell's cases.

        Raises:
            DataError, IncompatibleError, UsageError: as its files say.
        """
        if self.files is None:
            raise ValueError(f"{self.spec.title} has no scores: {self.status}")
        return self.files.read(metrics, protocol, samples)


def exit_code(results: Sequence[Result]) -> int:
    """0 where everything that can be is there, else 1."""
    return int(any(result.status not in (Status.OK, Status.NOT_APPLICABLE) for result in results))
