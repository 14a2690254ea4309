"""What the labels of masks with palettes look like: an index, its colour, and its share of the pixels."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from mrbench.data.mask_rules import spelt
from mrbench.data.mask_values import MaskValues

TOLD = 12


@dataclass
class Palettes:
    """Counts of pixels by index.

    Attributes:
        pixels: of each index in masks with palettes.
        colours: of each index, in the first mask that holds it.
        differ: an index that has another colour in another mask, with both masks.
    """

    pixels: Counter[int] = field(default_factory=Counter)
    colours: dict[int, tuple[str, str]] = field(default_factory=dict)
    differ: dict[int, str] = field(default_factory=dict)

    def add(self, read: MaskValues, counts: np.ndarray, name: str) -> None:
        """One mask, with its pixels of each label; nothing happens where these are no indices."""
        if read.palette is None:
            return
        for index in np.flatnonzero(counts[: len(read.palette)]).tolist():
            red, green, blue = read.palette[index].tolist()
            colour = spelt((red, green, blue))
            first, mask = self.colours.setdefault(index, (colour, name))
            self.pixels[index] += int(counts[index])
            if colour != first:
                self.differ.setdefault(index, f"{index} is {first} in {mask} and {colour} in {name}")

    def told(self) -> Iterator[tuple[str, str]]:
        """Titles and lines for people."""
        total = sum(self.pixels.values())
        said = [f"{index} {self.colours[index][0]} {n / total:.2%}" for index, n in sorted(self.pixels.items())]
        if said:
            more = f" and {len(said) - TOLD} more" if len(said) > TOLD else ""
            yield "palettes", f"the index is the label: {', '.join(said[:TOLD])}{more}"
        if self.differ:
            text = next(iter(self.differ.values()))
            yield "look at", f"palettes differ: {text}; --labels '#rrggbb=NAME' goes by colour"
