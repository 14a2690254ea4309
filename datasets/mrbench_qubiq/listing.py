"""The challenge's folders: ``<collection>/<Training|Validation>/caseNN/{image,taskNN_segNN}.nii.gz``."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mrbench.data.inside import check_inside
from mrbench.errors import DataError
from mrbench_qubiq.config import QubiqConfig
from mrbench_qubiq.tasks import Task

PARTS = ("Training", "Validation")
SUFFIXES = (".nii.gz", ".nii")

_MASK = re.compile(r"task(\d{1,3})_seg(\d{1,3})\.nii(\.gz)?")


@dataclass(frozen=True)
class CaseFiles:
    """The files of one case.

    Attributes:
        id: of the case, such as ``Training-case01``: both parts count from their own first number.
        image: its image.
        masks: (R,) by rater, None where there is no file.
    """

    id: str
    image: Path
    masks: tuple[Path | None, ...]


def list_cases(source: Path, task: Task, config: QubiqConfig) -> list[CaseFiles]:
    """The cases of a task, training before validation, each part by the names of its folders.

    Raises:
        DataError: a folder or file is not there or leads out of the source, a mask of a rater whom the task does not
            have, other counts than the challenge's where ``partial`` is not set; names the case.
    """
    cases = [_case(folder, part, task) for part in PARTS for folder in _folders(source / task.folder / part, source)]
    for path in (path for case in cases for path in (case.image, *case.masks) if path is not None):
        check_inside(path, source, hint="download the file again")
    if not config.partial:
        _check_complete(cases, task)
    return cases


def _folders(part: Path, source: Path) -> list[Path]:
    found = sorted(f for f in part.iterdir() if f.is_dir() and f.name.startswith("case")) if part.is_dir() else []
    if not found:
        raise DataError(
            f"{source} does not hold the challenge's files",
            expected=f"{part.parent.name}/Training and {part.parent.name}/Validation with folders case01, case02, ...",
            found=f"no such folder in {part}",
            hint="mrbench data prepare qubiq --source FOLDER, where FOLDER holds the collections of both archives",
        )
    return found


def _case(folder: Path, part: str, task: Task) -> CaseFiles:
    image = next((folder / f"image{suffix}" for suffix in SUFFIXES if (folder / f"image{suffix}").is_file()), None)
    if image is None:
        raise DataError(f"case {folder} has no image", expected="image.nii.gz", found=_names(folder))
    masks = _masks(folder, task)
    if not masks:
        raise DataError(f"case {folder} has no mask", expected=_name(task, 1), found=_names(folder))
    return CaseFiles(f"{part}-{folder.name}", image, tuple(masks.get(r) for r in range(1, task.raters + 1)))


def _masks(folder: Path, task: Task) -> dict[int, Path]:
    """By the rater's number, from 1."""
    masks: dict[int, Path] = {}
    for path in sorted(folder.iterdir()):
        found = _MASK.fullmatch(path.name)
        if found is None or int(found[1]) != task.number:
            continue
        rater = int(found[2])
        if not 1 <= rater <= task.raters:
            raise DataError(f"{path} is of an unknown rater", expected=f"raters 1 to {task.raters}", found=f"{rater}")
        if rater in masks:
            raise DataError(f"{folder} holds two masks of one rater", found=f"{masks[rater].name} and {path.name}")
        masks[rater] = path
    return masks


def _check_complete(cases: Sequence[CaseFiles], task: Task) -> None:
    if len(cases) != task.cases:
        raise DataError(
            f"collection {task.folder!r} of data set 'qubiq' is not complete",
            expected=f"{task.cases} cases in {' and '.join(PARTS)}",
            found=f"{len(cases)}",
            hint="download all files, or take what there is with --set partial=true",
        )
    absent = [(case, rater) for case in cases for rater, path in enumerate(case.masks, 1) if path is None]
    if len(absent) > task.unmarked:
        case, rater = absent[0]
        raise DataError(
            f"case {case.image.parent} lacks a mask",
            expected=_name(task, rater) + (f"; the collection lacks {task.unmarked} in all" if task.unmarked else ""),
            found=f"{len(absent)} masks that are not there, this one first",
            hint="download the file again, or let its rater be absent with --set partial=true",
        )


def _name(task: Task, rater: int) -> str:
    return f"task{task.number:02}_seg{rater:02}.nii.gz"


def _names(folder: Path) -> str:
    return ", ".join(sorted(path.name for path in folder.iterdir())[:10]) or "nothing"
