"""A data set that is read as released: what it declares, its container, and its cases by name."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from mrbench.cards import DatasetCard
from mrbench.data.case import Case
from mrbench.data.caseset import CaseSet
from mrbench.data.container import open_container, write_cases
from mrbench.data.description import Augmentation, Description, Normalisation, Raters, Unit
from mrbench.data.released.case_files import CaseFiles, Found
from mrbench.data.released.labels import Labels
from mrbench.data.released.options import PictureConfig, ReleasedConfig
from mrbench.data.released.reading import frame_of_files, read_case, reduced_shape
from mrbench.data.splits import Fold, Split, split_by_subject, split_with_test
from mrbench.errors import DataAbsentError, DataError

PARTS = ("train", "validation", "test")

Rule = Callable[[str], str]
"""Which of ``PARTS`` a published division puts a case into, by its id."""


class ListsCases(Protocol):
    """What finds the files of a release in a folder."""

    @property
    def holds(self) -> str:
        """What the folder holds, in words."""
        ...

    @property
    def rater_names(self) -> tuple[str, ...]:
        """In the order of the columns."""
        ...

    def list_cases(self, source: Path, *, partial: bool, hint: str) -> Found: ...


@dataclass(frozen=True, kw_only=True)
class Release:
    """One data set; its card names ``load`` and ``prepare``. Defaults are those of photographs in colour.

    Attributes:
        card: name, licence, citation and source.
        files: finds the files of each case.
        labels: what the values in masks stand for.
        classes, channels, unit, normalisation, augmentation: as in its description.
        origin: what it is made from, in words.
        published: rules that others divide it by, by name; a name that begins with ``published`` may split subjects.
        bare: names of masks, their folder in front, whose header is known to be wrong: they are taken as they lie.
    """

    card: DatasetCard
    files: ListsCases
    labels: Labels
    classes: tuple[str, ...]
    origin: str
    channels: tuple[str, ...] = ("red", "green", "blue")
    unit: Unit = Unit.SLICE
    normalisation: Normalisation = "byte"
    augmentation: tuple[Augmentation, ...] = ("flip", "rotate90")
    published: Mapping[str, Rule] = field(default_factory=dict)
    bare: tuple[str, ...] = ()

    def prepare(self, source: Path, out: Path, config: ReleasedConfig) -> str:
        """Writes the container.

        Args:
            source: the folder of the release.
            out: the container to write, or the folder to write it to.
            config: the options; ``partial`` and ``longest`` choose what is written, the others count when it is read.

        Returns:
            What was written, the masks of each rater and what was left out.

        Raises:
            DataError: files that are absent, damaged or not laid out as released; names the file.
            UsageError: the package that reads their format is not installed.
            MrbenchError: the container cannot be written.
        """
        found = self.files.list_cases(source, partial=config.partial, hint=self._hint())
        ids, subjects = [case.id for case in found.cases], [case.subject for case in found.cases]
        splits = self._splits(ids, subjects, config)
        description = replace(self.describe(config), training_size=self._training_size(found.cases, config))
        path = out / f"{self.card.name}.h5" if out.is_dir() else out
        write_cases(path, description, self._cases(found.cases, source, config), splits=lambda _: splits)
        present = np.array([[mask is not None for mask in case.masks] for case in found.cases])
        counts = ", ".join(
            f"{name} {n}" for name, n in zip(self.files.rater_names, present.sum(axis=0), strict=True) if n
        )
        wrote = f"wrote {path}: {len(ids)} cases of {len(set(subjects))} subjects; masks: {counts}"
        return "\n".join([wrote, *found.told, *self._taken_as_they_lie(found.cases)])

    def load(self, config: ReleasedConfig, folder: Path) -> CaseSet:
        """The cases, streamed from the container that :meth:`prepare` wrote.

        Raises:
            DataAbsentError: it is not in the data folder.
            DataError: it is there and wrong, or of other options.
        """
        path = folder / f"{self.card.name}.h5"
        if not path.is_file():
            raise self._absent(folder)
        cases = open_container(path, "stream")
        declared = replace(self.describe(config), training_size=cases.description.training_size)
        if replace(cases.description, raters=declared.raters) != declared:
            raise self._other(path, cases.description, declared, config)
        return replace(
            cases,
            description=declared,
            splits=self._splits(cases.ids, cases.subjects, config),
            stored_digest=cases.stored_digest if cases.description == declared else None,
        )

    def describe(self, config: ReleasedConfig) -> Description:
        """The declarations but for the training size; an incomplete release carries another name."""
        reduced = config.reduced if isinstance(config, PictureConfig) else ""
        return Description(
            name=self.card.name + ("-partial" if config.partial else ""),
            version=self.card.version,
            classes=self.classes,
            channels=self.channels,
            raters=Raters(config.raters),
            rater_names=self.files.rater_names,
            unit=self.unit,
            normalisation=self.normalisation,
            augmentation=self.augmentation,
            native_grid=not reduced,
            licence=self.card.licence,
            citation=self.card.citation,
            origin=self.origin + reduced,
        )

    def _cases(self, files: Iterable[CaseFiles], source: Path, config: ReleasedConfig) -> Iterator[Case]:
        for one in files:
            case = read_case(
                one, self.labels, len(self.channels), self._axes, longest=_longest(config), bare=self._bare_of(one)
            )
            file = one.images[0].relative_to(source).as_posix()
            yield replace(case, metadata={"file": file, **case.metadata})

    def _bare_of(self, files: CaseFiles) -> list[Path]:
        return [path for path in files.masks if path is not None and f"{path.parent.name}/{path.name}" in self.bare]

    def _taken_as_they_lie(self, files: Iterable[CaseFiles]) -> Iterator[str]:
        for path in (path for one in files for path in self._bare_of(one)):
            yield f"taken as it lies, since its header is known to be wrong: {path.parent.name}/{path.name}"

    @property
    def _axes(self) -> int:
        return 3 if self.unit is Unit.VOLUME else 2

    def _training_size(self, files: Iterable[CaseFiles], config: ReleasedConfig) -> tuple[int, int] | None:
        """None where all planes are of one size, else that of the largest: padding cuts no mask."""
        planes = {
            reduced_shape(frame_of_files(one.images[0], one.first_mask, self._axes).spatial, _longest(config))
            for one in files
        }
        return None if len(planes) == 1 else (max(h for h, _ in planes), max(w for _, w in planes))

    def _splits(self, ids: Sequence[str], subjects: Sequence[str], config: ReleasedConfig) -> dict[str, Split]:
        """``strict``: folds over all cases, balanced in the parts of the release; then the published ones."""
        parts = sorted({name.partition("-")[0] for name in ids})
        strict = split_by_subject(
            subjects,
            folds=config.folds,
            seed=config.split_seed,
            validation_share=config.validation_share,
            size=[parts.index(name.partition("-")[0]) for name in ids] if len(parts) < len(ids) else None,
        )
        divided = (_divided(name, [rule(i) for i in ids], subjects, config) for name, rule in self.published.items())
        return {"strict": strict} | {split.name: split for split in divided if split is not None}

    def _hint(self, config: ReleasedConfig | None = None) -> str:
        chosen: dict[str, Any] = {} if config is None else config.values()
        default = type(config)().values() if config is not None else {}
        settings = "".join(
            f" --set {name}={str(chosen[name]).lower()}"
            for name in ("longest", "partial")
            if name in chosen and chosen[name] != default[name]
        )
        return f"mrbench data prepare {self.card.name} --source FOLDER{settings}, where FOLDER holds {self.files.holds}"

    def _absent(self, folder: Path) -> DataAbsentError:
        return DataAbsentError(
            f"data set {self.card.name!r} is not prepared",
            expected=f"{self.card.name}.h5 in the data folder, made from {self.card.source}",
            found=f"no such file in {folder}",
            hint=self._hint(),
        )

    def _other(self, path: Path, found: Description, declared: Description, config: ReleasedConfig) -> DataError:
        return DataError(
            f"{path} holds another data set",
            expected=f"{declared.name!r}: {declared.origin}",
            found=f"{found.name!r}: {found.origin}"
            + (", an incomplete release: set partial=true" if found.name.endswith("-partial") else ""),
            hint=self._hint(config),
        )


def _longest(config: ReleasedConfig) -> int:
    return config.longest if isinstance(config, PictureConfig) else 0


def _divided(name: str, parts: Sequence[str], subjects: Sequence[str], config: ReleasedConfig) -> Split | None:
    """None where a part of the release is not there, so that nothing would be trained on or tested."""
    if not {"train", "test"} <= set(parts):
        return None
    if "validation" in parts:
        lists = (np.array([i for i, part in enumerate(parts) if part == one], np.int64) for one in PARTS)
        return Split(name, (Fold(*lists),))
    test = [part == "test" for part in parts]
    return split_with_test(subjects, test, seed=config.split_seed, validation_share=config.validation_share, name=name)
