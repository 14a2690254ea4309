"""The command that computes an entry again: made from its fields, never taken from a stranger as text."""

import json
import shlex
from dataclasses import replace
from functools import lru_cache
from typing import Any

from mrbench.engine.cell import CellSpec, Member
from mrbench.engine.record import reproduce
from mrbench.leaderboard.entry import Entry


def command_of(entry: Entry) -> str:
    """One command for all folds and seeds; every word that a shell would read otherwise is quoted."""
    folds = tuple(sorted({cell.fold for cell in entry.cells}))
    seeds = tuple(sorted({cell.seed for cell in entry.cells}))
    return _of_all(reproduce(replace(_spec(entry), fold=folds[0], seed=seeds[0])), folds, seeds)


@lru_cache(maxsize=4096)  # the history of a method has the same command many times
def _of_all(first: str, folds: tuple[int, ...], seeds: tuple[int, ...]) -> str:
    """The command of the first cell, for all of them."""
    words = shlex.split(first)
    at = words.index("--fold")
    words[at : at + 2] = [word for fold in folds for word in ("--fold", str(fold))]
    return shlex.join(words + (["--seeds", str(seeds[-1] - seeds[0] + 1)] if len(seeds) > 1 else []))


def _spec(entry: Entry) -> CellSpec:
    if entry.kind != "external":
        return _with_member(entry.spec)
    return replace(
        entry.spec, options={"predictions": entry.options.get("predictions", ""), "patterns": patterns(entry)}
    )


def _with_member(spec: CellSpec) -> CellSpec:
    """With what a wrapper is of, whose options stand among those that were set under its name."""
    of = spec.options.get("of", "")
    theirs = {name: value for name, value in spec.changed.items() if name.startswith(f"{of}.")}
    if not (of and theirs):
        return spec
    changed = {name.removeprefix(f"{of}."): value for name, value in theirs.items()}
    nothing: dict[str, Any] = {"options": {}, "training": {}, "prediction": {}, "method_version": ""}
    nothing |= {"training_code": "", "prediction_code": ""}
    member = Member(method=of, family=of, changed=changed, seeds=(spec.seed,), **nothing)
    own = {name: value for name, value in spec.changed.items() if name not in theirs}
    return replace(spec, changed=own, member=member)


def patterns(entry: Entry) -> list[str]:
    """The patterns by which predictions made elsewhere were found; none where the entry's are no such list."""
    try:
        found = json.loads(entry.options.get("patterns", ""))
    except (ValueError, RecursionError):
        return []
    return found if isinstance(found, list) and all(isinstance(one, str) for one in found) else []
