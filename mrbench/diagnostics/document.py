"""``diagnostics.json`` in a cell's folder: written when the cell is finished, vouched for by its record; light."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from mrbench.diagnostics.figures import Figure
from mrbench.engine.cell import DIAGNOSTICS
from mrbench.engine.manifest import read_sealed, write_sealed
from mrbench.engine.record import vouch_for
from mrbench.engine.result import Result
from mrbench.errors import DataError

VERSION = "2"
"""Of the definitions; another one's figures are computed again."""

Names = Annotated[dict[str, Figure], Field(max_length=1000)]


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """What was found of one cell.

    Attributes:
        draws: S of what was drawn again from the weights; 0 where there are none.
        cases, of_cases: looked at, and tested in the cell.
        same_draws: cases whose draws from the weights are those that were stored, bit by bit; None: nothing was drawn.
        other_code: the files in which the code differs from that of the training; blank where none does.
        figures: by name.
        deltas: Delta_rr' of every two raters, mean over the cases; empty where no rater is answered for.
    """

    version: str = VERSION
    draws: int
    cases: int
    of_cases: int
    same_draws: int | None = None
    other_code: str = ""
    figures: Names
    deltas: list[list[float]] = field(default_factory=list)

    def matches(self, draws: int, cases: int | None) -> bool:
        """Is it what would be computed again?"""
        asked = self.of_cases if cases is None else min(cases, self.of_cases)
        return (self.version, self.cases) == (VERSION, asked) and self.draws in (0, draws)


def write_diagnosis(folder: Path, found: Diagnosis) -> None:
    """Writes the file into the folder of a finished cell, and has its record vouch for it.

    Raises:
        DataError: the cell has no record, or a damaged one.
    """
    write_sealed(folder / DIAGNOSTICS, asdict(found))
    vouch_for(folder, DIAGNOSTICS)


def read_diagnosis(result: Result) -> Diagnosis | None:
    """What was found of a cell; None where nothing was looked for.

    Raises:
        DataError: the file is not what was written, or of another version's form.
    """
    path = result.file(DIAGNOSTICS)
    if path is None:
        return None
    content, broken = read_sealed(path)
    try:
        content.pop("sha256", None)
        found = TypeAdapter(Diagnosis).validate_python(content)
    except (ValidationError, AttributeError, TypeError) as error:
        raise DataError(f"cannot read {path}", found=str(error)[:200], hint="mrbench diagnose writes it anew") from None
    if broken:
        raise DataError(f"{path} is damaged", found=broken, hint="mrbench diagnose writes it anew")
    return found
