"""What the numbers of a prediction mean: whole numbers are labels, floats are probabilities."""

import numpy as np

from mrbench.engine.draw_rules import TOLERANCE
from mrbench.errors import DataError
from mrbench.interfaces.draw import binary_probability, one_hot


def check_shape(shape: tuple[int, ...], kind: str, spatial: tuple[int, ...], classes: int, where: str) -> None:
    """Refuses a prediction that does not fit its case, before its memory is taken.

    Args:
        shape, kind: of the prediction; NumPy's letter of its type.
        spatial: (H, W) or (D, H, W) of the case.
        classes: K, background included.
        where: the file, the array and the case, for messages.

    Raises:
        DataError: what would be right for labels or for probabilities.
    """
    with_classes = (classes, *spatial)
    fitting = [spatial] if kind in "biu" else [spatial, with_classes] if classes == 2 else [with_classes]
    if shape in fitting:
        return
    what = "labels" if kind in "biu" else "probabilities"
    hint = "labels are integers without an axis of classes" if shape == with_classes else ""
    hint = f"probabilities need an axis of the {classes} classes; labels are integers" if shape == spatial else hint
    expected = " or ".join(map(str, fitting))
    raise DataError(f"{where} is on another grid", expected=f"{what} {expected}", found=str(shape), hint=hint)


def as_probability(array: np.ndarray, spatial: tuple[int, ...], classes: int, where: str) -> np.ndarray:
    """``(K, *spatial)`` float probabilities, ready to be counted.

    Args:
        array: ``(*spatial)`` labels below K (integers or booleans), ``(*spatial)`` probabilities of the foreground
            where K = 2, or ``(K, *spatial)`` probabilities.
        spatial, classes, where: as for :func:`check_shape`.

    Raises:
        DataError: a wrong shape; labels that are not below K; probabilities that are not finite, not in [0, 1] or do
            not sum to one.
    """
    check_shape(array.shape, array.dtype.kind, spatial, classes, where)
    if array.dtype.kind in "biu":
        return one_hot(_checked_labels(array, classes, where), classes)
    # Half precision would lose the sum to one; more than double is nobody's network.
    values = array if array.dtype in (np.float32, np.float64) else array.astype(np.float32)
    _check_range(values, where)
    if array.shape == spatial:
        return binary_probability(values)
    _check_sum(values, where)
    return values


def _checked_labels(array: np.ndarray, classes: int, where: str) -> np.ndarray:
    labels = array.view(np.uint8) if array.dtype.kind == "b" else array
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= classes:
        raise DataError(
            f"{where} has labels that the data set does not have",
            expected=f"whole numbers from 0 to {classes - 1}",
            found=f"values from {low} to {high}",
        )
    return labels


def _check_range(values: np.ndarray, where: str) -> None:
    low, high = float(values.min()), float(values.max())  # NaN where there is one
    if not np.isfinite([low, high]).all():
        raise DataError(f"{where} is not finite", expected="probabilities in [0, 1]", found=f"{low}..{high}")
    if low < -TOLERANCE or high > 1 + TOLERANCE:
        hint = "labels are stored as integers" if low >= 0 else "a softmax or a sigmoid makes probabilities of logits"
        found = f"values in [{low:.4g}, {high:.4g}]"
        raise DataError(f"{where} holds no probabilities", expected="values in [0, 1]", found=found, hint=hint)


def _check_sum(values: np.ndarray, where: str) -> None:
    total = values.sum(axis=0)
    if np.abs(total - 1).max() > TOLERANCE * len(values):
        raise DataError(
            f"{where} holds no probabilities",
            expected="values that sum to one over the classes",
            found=f"sums in [{total.min():.4g}, {total.max():.4g}]",
        )
