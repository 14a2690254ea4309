"""From names or column numbers to the raters' columns."""

from collections.abc import Sequence

from mrbench.errors import DataError


def rater_columns(labels: Sequence[str], names: Sequence[str], where: str) -> tuple[int, ...]:
    """``(P,)`` columns of raters that are named, all by name or all by column number, from 0.

    Args:
        labels: ``(P,)`` as found.
        names: ``(R,)`` of the data set's raters.
        where: for messages.

    Raises:
        DataError: a label that is neither, or names beside numbers.
    """
    if set(labels) <= set(names):
        return tuple(names.index(label) for label in labels)
    numbers = [str(column) for column in range(len(names))]
    if not set(labels) <= set(numbers):
        unknown = [label for label in labels if label not in (*names, *numbers)]
        raise DataError(
            f"{where} names raters that the data set does not have",
            expected=f"{', '.join(names)}; or all by column, 0 to {len(names) - 1}",
            found=", ".join(unknown or labels)[:80],
        )
    return tuple(map(int, labels))
