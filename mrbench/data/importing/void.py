"""Void pixels of an import: what one rater could not or would not judge counts for nobody."""

from dataclasses import replace

import numpy as np

from mrbench.data.frame import Frame
from mrbench.data.image_file import ImageFile
from mrbench.data.mask_rules import MaskRules
from mrbench.data.mask_values import MaskValues, StoredMask


def read_judged(
    file: ImageFile, frame: Frame, rules: MaskRules, void: int | None, where: str
) -> tuple[MaskValues, np.ndarray, np.ndarray]:
    """What a mask's file holds; its labels ``(*spatial)`` with 0 where it is void; where it is judged.

    Args:
        file: the mask.
        frame: of its case.
        rules: what is said of the values.
        void: of the file, or where nothing is said of the values, of its labels; None: there is none.
        where: the file, for messages.

    Returns:
        The last one has the shape of the labels, or is one ``True`` for all.
    """
    if void is None or not rules:
        read = file.mask(rules)
        return read, *judged(frame.mask(read.labels, file, where), void)
    stored = file.stored()
    valid = _judged(stored, void)
    colours = valid[..., None] if stored.coloured else valid
    read = rules.read(replace(stored, values=np.where(colours, stored.values, 0)), where)
    kept = frame.mask(valid.astype(np.uint8), file, where).astype(bool)
    return read, frame.mask(read.labels, file, where) * kept, kept


def judged(labels: np.ndarray, void: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Labels with 0 for the void value, and where they are judged, of the same shape or one ``True`` for all."""
    if void is None:
        return labels, np.array(True)
    valid = labels != void
    return labels * valid, valid


def _judged(stored: StoredMask, void: int) -> np.ndarray:
    valid: np.ndarray = (stored.values != void).any(axis=-1) if stored.coloured else stored.values != void
    return valid
