"""The cases of a data set, in memory or streamed from a container; both give identical cases."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from math import prod
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from mrbench.data.case import Case
from mrbench.data.description import Description, Unit
from mrbench.data.normalisation import normalise
from mrbench.data.redraws import Redraw, redrawn
from mrbench.data.splits import Split
from mrbench.digests import digest_arrays, digest_json
from mrbench.errors import UnknownNameError

if TYPE_CHECKING:
    from mrbench.data.torch_cases import TorchCases


class Pixels(Protocol):
    """Where images and masks lie as stored; the one thing that differs between memory and a file.

    Where pixels are void, it has a method ``valid(index)``, too: see :meth:`CaseSet.valid`.
    """

    def __len__(self) -> int: ...

    def image(self, index: int) -> np.ndarray:
        """``(C, *spatial)`` in the stored type."""
        ...

    def masks(self, index: int) -> np.ndarray:
        """``(R, *spatial)`` uint8."""
        ...


@dataclass(frozen=True, eq=False)
class ArrayPixels:
    """Images and masks in memory: stacked arrays, or lists of arrays where shapes differ.

    Attributes:
        images, all_masks: of each case.
        all_valid: of each case the pixels that count, ``(*spatial)`` bool, or None where all do; None: everywhere.
    """

    images: Sequence[np.ndarray] | np.ndarray
    all_masks: Sequence[np.ndarray] | np.ndarray
    all_valid: Sequence[np.ndarray | None] | np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.images)

    def image(self, index: int) -> np.ndarray:
        return self.images[index]

    def masks(self, index: int) -> np.ndarray:
        return self.all_masks[index]

    def valid(self, index: int) -> np.ndarray | None:
        return None if self.all_valid is None else self.all_valid[index]


@dataclass(frozen=True, eq=False)
class CaseSet:
    """Cases x raters.

    Attributes:
        description: what the data set declares.
        pixels: images ``(C, *spatial)`` and masks ``(R, *spatial)`` per case, as stored.
        ids: (N,) unique names.
        subjects: (N,) the patient of each case.
        present: ``(N, R)`` bool.
        splits: by name; ``strict`` is the default.
        slices: (N,) slice numbers, or None.
        spacings: (N,) mm per spatial axis, or None where unknown.
        attributes: by name, ``(N, R)`` float, NaN where missing.
        metadata: (N,) free, JSON types; not part of the digest.
        stored_digest: the content digest, where a container states it; recomputed by ``mrbench data verify``.
        redraw: a further mask of a rater, where the data set knows how they outline; not part of the digest, but for
            the description's version, which every change of it raises.
    """

    description: Description
    pixels: Pixels
    ids: tuple[str, ...]
    subjects: tuple[str, ...]
    present: np.ndarray
    splits: Mapping[str, Split] = field(default_factory=dict)
    slices: tuple[int, ...] | None = None
    spacings: tuple[tuple[float, ...] | None, ...] | None = None
    attributes: Mapping[str, np.ndarray] = field(default_factory=dict)
    metadata: tuple[Mapping[str, Any], ...] | None = None
    stored_digest: str | None = None
    redraw: Redraw | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> Case:
        """The case at ``index``, its image normalised as declared."""
        return Case(
            id=self.ids[index],
            subject=self.subjects[index],
            image=self.normalise(self.pixels.image(index)),
            masks=self.pixels.masks(index),
            present=self.present[index],
            slice=self.slices[index] if self.slices else None,
            spacing=self.spacings[index] if self.spacings else None,
            attributes={name: values[index] for name, values in self.attributes.items()},
            metadata=self.metadata[index] if self.metadata else {},
            valid=self.valid(index),
            redraw=partial(redrawn, self, index) if self.redraw else None,
        )

    def valid(self, index: int) -> np.ndarray | None:
        """``(*spatial)`` bool, the pixels of a case that count; None where all do."""
        read = getattr(self.pixels, "valid", None)
        found = None if read is None else read(index)
        return None if found is None or found.all() else found

    def void_share(self, indices: Iterable[int] | None = None) -> float:
        """The share of the pixels of some cases, or of all, that are void; images are read where any is."""
        chosen = range(len(self)) if indices is None else [int(index) for index in indices]
        void = sum(int(np.count_nonzero(~valid)) for index in chosen if (valid := self.valid(index)) is not None)
        return void / sum(prod(self.pixels.image(index).shape[1:]) for index in chosen) if void else 0.0

    def normalise(self, image: np.ndarray) -> np.ndarray:
        """``(C, *spatial)`` float32 from an image as stored, as declared."""
        return normalise(image, self.description.normalisation)

    def to_torch(self) -> "TorchCases":
        """The cases as a map-style torch data set, read one by one when they are asked for.

        An item is ``(image, masks, present)``: ``(C, *spatial)`` float32, normalised; ``(R, *spatial)`` uint8, zero in
        the rows of absent raters; ``(R,)`` bool. ``torch.utils.data.Subset(_, fold.train)`` takes the cases of a fold.
        """
        from mrbench.data.torch_cases import TorchCases

        return TorchCases(self)

    def split(self, name: str) -> Split:
        """The split of that name."""
        if name not in self.splits:
            raise UnknownNameError("split", name, self.splits, where=f"of data set {self.description.name!r}")
        return self.splits[name]

    @property
    def is_volume(self) -> bool:
        """Are the cases volumes ``(D, H, W)``?"""
        return self.description.unit is Unit.VOLUME

    @cached_property
    def digest(self) -> str:
        """Content digest: SHA-256 over the declarations and the canonical arrays, whatever file they came from."""
        return self.stored_digest or self.compute_digest()

    def compute_digest(self) -> str:
        """Recomputes the content digest by reading every case once."""
        return digest_arrays(self._parts())

    def _parts(self) -> Any:
        yield "description", digest_json(self.description.as_json())
        yield "ids", digest_json(list(self.ids))
        yield "subjects", digest_json(list(self.subjects))
        yield "slices", digest_json(list(self.slices) if self.slices else None)
        yield "spacings", digest_json([list(s) if s else None for s in self.spacings] if self.spacings else None)
        yield "present", self.present.astype(np.uint8)
        for name, values in sorted(self.attributes.items()):
            yield f"attribute/{name}", values.astype(np.float64)
        for index, case_id in enumerate(self.ids):
            yield f"image/{case_id}", self.pixels.image(index)
            yield f"masks/{case_id}", self.pixels.masks(index)
            if (valid := self.valid(index)) is not None:
                yield f"valid/{case_id}", valid.astype(np.uint8)
