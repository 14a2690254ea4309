"""Which cases the predictions are of: every test case must be there, and what the data set lacks is told of."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from mrbench.data.caseset import CaseSet
from mrbench.data.splits import Fold
from mrbench.errors import DataError

NAMED = 5
"""Cases that a message names at most."""


def check_coverage(path: Path, found: Sequence[str], cases: CaseSet, folds: Mapping[int, Fold]) -> list[str]:
    """Warnings of predictions that are of no case of the data set.

    Args:
        path: where the predictions are, for messages.
        found: names of the cases that they are of.
        cases: of the data set.
        folds: that are scored, by number.

    Raises:
        DataError: nothing matches (shows both ways of naming), or test cases are missing (how many, the first few, the
            folds that they are of).
    """
    names, known, data = set(found), set(cases.ids), cases.description.name
    extra = [name for name in found if name not in known]
    if len(extra) == len(found):
        raise DataError(
            f"no case in {path} is a case of data set {data!r}",
            expected=f"names like {_first(cases.ids)}",
            found=_first(found) or "no cases",
            hint="name the predictions as the data set names its cases; in a folder, a cases.csv (file,case) can do it",
        )
    test = {number: [cases.ids[index] for index in fold.test] for number, fold in folds.items()}
    missing = {number: [name for name in tested if name not in names] for number, tested in test.items()}
    if any(missing.values()):
        raise _missing(path, data, missing, len(set().union(*test.values())))
    return [f"{path}: {len(extra)} cases are not in data set {data!r}, left alone: {_first(extra)}"] if extra else []


def tell_left_alone(path: Path, names: Sequence[str]) -> list[str]:
    """A warning of files that are not read, where there are any."""
    said = "1 file fits" if len(names) == 1 else f"{len(names)} files fit"
    return [f"{path}: {said} no pattern, left alone: {_first(names)}"] if names else []


def _missing(path: Path, data: str, missing: Mapping[int, Sequence[str]], total: int) -> DataError:
    absent = list(dict.fromkeys(name for names in missing.values() for name in names))
    folds = ", ".join(f"{len(names)} in fold {fold}" for fold, names in missing.items() if names)
    whole = [f"--fold {fold}" for fold, names in missing.items() if not names]
    return DataError(
        f"{path} lacks {len(absent)} of {total} test cases of data set {data!r}: {folds}",
        expected="predictions of every test case of the folds that are scored",
        found=f"none of {_first(absent)}",
        hint=f"{' '.join(whole)} scores what is whole"
        if whole
        else "add them; are --set, --split and --data as they were then?",
    )


def _first(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name[:80]) for name in names[:NAMED])
    return shown + (", ..." if len(names) > NAMED else "")
