"""What a data set reads or draws with code of its own: what that raises names the case, the file and the line."""

from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np

from mrbench.data.caseset import Pixels
from mrbench.data.redraws import Redraw
from mrbench.places import blamed


@dataclass(frozen=True, eq=False)
class PluginPixels:
    """Pixels of a plugin.

    Attributes:
        pixels: its own.
        ids: of the cases.
        dataset: its registry key.
        modules: top-level modules that its code is in.
    """

    pixels: Pixels
    ids: tuple[str, ...]
    dataset: str
    modules: Collection[str]

    def __len__(self) -> int:
        return len(self.pixels)

    def image(self, index: int) -> np.ndarray:
        """``(C, *spatial)`` in the stored type; a fault is a ``PluginError``."""
        with self._blamed(index):
            return self.pixels.image(index)

    def masks(self, index: int) -> np.ndarray:
        """``(R, *spatial)`` uint8; a fault is a ``PluginError``."""
        with self._blamed(index):
            return self.pixels.masks(index)

    def valid(self, index: int) -> np.ndarray | None:
        """``(*spatial)`` bool, None where all pixels count; a fault is a ``PluginError``."""
        read = getattr(self.pixels, "valid", None)
        with self._blamed(index):
            return None if read is None else read(index)

    def _blamed(self, index: int) -> AbstractContextManager[None]:
        return blamed(f"case {self.ids[index]!r} of data set {self.dataset!r} cannot be read", self.modules)


@dataclass(frozen=True, eq=False)
class PluginRedraw:
    """What asks a plugin's raters again.

    Attributes:
        redraw: its own.
        ids, dataset, modules: as of :class:`PluginPixels`.
    """

    redraw: Redraw
    ids: tuple[str, ...]
    dataset: str
    modules: Collection[str]

    def __call__(self, index: int, rater: int, noise: np.random.Generator) -> np.ndarray:
        """As :data:`~mrbench.data.redraws.Redraw`; a fault is a ``PluginError``."""
        what = f"rater {rater} of case {self.ids[index]!r} of data set {self.dataset!r} cannot be asked again"
        with blamed(what, self.modules):
            return self.redraw(index, rater, noise)
