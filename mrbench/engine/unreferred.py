"""What in a results folder no run refers to and no process is at: what may go."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from mrbench.engine.inventory import Inventory, Item, Kind, inventory
from mrbench.engine.references import References, references, trainings_of
from mrbench.engine.store import CHECKPOINT, is_alive, is_busy


class What(StrEnum):
    """A group of things that may go, as it is named on the command line."""

    CELLS = "cells"
    TRAININGS = "trainings"
    ATTEMPTS = "attempts"
    DAMAGED = "damaged"
    CHECKPOINTS = "checkpoints"
    OTHER_CODE = "other-code"


@dataclass(frozen=True)
class Holdings:
    """A results folder with what its runs refer to."""

    inventory: Inventory
    references: References

    def what(self, item: Item) -> What | None:
        """The group that a thing belongs to; None where it stays."""
        match item.kind:
            case Kind.CELL | Kind.FAILURE:
                return What.CELLS if self._free(item) else None
            case Kind.TRAINING:
                return What.TRAININGS if self._free(item) and not self._at_work_for_no_run else None
            case Kind.ATTEMPT:
                return self._what_attempt(item)
            case Kind.REMOVAL:
                return What.ATTEMPTS
            case Kind.DAMAGED:
                return What.DAMAGED
        return None

    def _free(self, item: Item) -> bool:
        return not self.references.to(item.final) and not is_busy(self.inventory.results / item.final)

    def _what_attempt(self, item: Item) -> What | None:
        folder, final = self.inventory.results / item.path, self.inventory.results / item.final
        if is_alive(folder):
            return None
        begun = (folder / CHECKPOINT).is_dir() and not final.exists()
        wanted = self.references.to(item.final) or self.references.faults
        return What.CHECKPOINTS if begun and wanted else What.ATTEMPTS

    @cached_property
    def _at_work_for_no_run(self) -> bool:
        # Somebody removed the run while it computes: what its cell was trained by is written nowhere.
        attempts = [one for one in self.inventory.of(Kind.ATTEMPT) if not self.references.to(one.final)]
        return any(is_alive(self.inventory.results / one.path) for one in attempts)

    @cached_property
    def groups(self) -> Mapping[What, list[Item]]:
        """What may go, by group."""
        found: dict[What, list[Item]] = {}
        for item in self.inventory.items:
            if what := self.what(item):
                found.setdefault(what, []).append(item)
        return found

    @cached_property
    def needed(self) -> frozenset[Path]:
        """The trainings that cells of no run were predicted with."""
        cells = [one.path for one in self.groups.get(What.CELLS, ()) if one.kind is Kind.CELL]
        return frozenset(path for cell in cells for path in trainings_of(self.inventory.results / cell))


def holdings(results: Path) -> Holdings:
    """Looks at a results folder.

    Raises:
        UsageError: there is no results folder.
    """
    # The runs after what lies there: what a run that starts meanwhile refers to is seen to be referred to.
    found = inventory(results)
    return Holdings(found, references(results))
