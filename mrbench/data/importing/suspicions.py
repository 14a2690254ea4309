"""What looks like a mistake in the masks of an import, a sentence each; nothing is refused for it."""

from collections.abc import Iterator

from mrbench.data.importing.labels import Labels
from mrbench.data.importing.survey import Survey


def suspicions(found: Survey, labels: Labels) -> Iterator[str]:
    """Raters who are inverted, shifted, copies, of another label code, or never overlap with others."""
    shifted = list(found.shifts.found())
    pair = len(found.marks.pixels) == 2  # who of two is right, nobody can tell
    for rater, step, before, after in shifted[:1] if pair else shifted:
        whom = next(one for one in found.marks.pixels if one != rater) if pair else "the others"
        yield f"{rater} lies {step} {whom}: moved back, Dice {before:.2f} becomes {after:.2f}"
    yield from found.marks.suspicions({rater for rater, *_ in shifted})
    yield from found.codes.suspicions(labels)
