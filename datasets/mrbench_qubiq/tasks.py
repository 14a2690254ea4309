"""What the challenge says of each of its tasks."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """One task of the challenge.

    Attributes:
        folder: of the collection.
        number: of the task in the names of its files, ``task01_seg01.nii.gz``.
        structure: what is outlined, as far as the name of the collection says it.
        raters: R.
        channels: names of the C channels.
        cases: released, training and validation together.
        unmarked: masks that the complete collection lacks.
    """

    folder: str
    number: int
    structure: str
    raters: int
    channels: tuple[str, ...]
    cases: int
    unmarked: int = 0


_MODALITIES = ("MR-1", "MR-2", "MR-3", "MR-4")

TASKS = {
    "brain-growth": Task("brain-growth", 1, "growth", 7, ("MR",), 39),
    **{f"brain-tumor-{n}": Task("brain-tumor", n, "tumour part", 3, _MODALITIES, 32) for n in (1, 2, 3)},
    "kidney": Task("kidney", 1, "kidney", 3, ("CT",), 24),
    # One of its cases has five masks.
    **{f"prostate-{n}": Task("prostate", n, "prostate part", 6, ("MR",), 55, unmarked=1) for n in (1, 2)},
}
"""By the names that the option ``task`` takes."""
