"""The names of figures, in the order in which they are shown, with what each is."""

TOTAL, PEOPLE = "distance of two samples", "distance of two raters"
RATERS, WITHIN, BETWEEN = "distance of two answers as raters", "share within a rater", "share between raters"

EXPLAINED = {
    TOTAL: "D_total of the stored samples: mean 1 - IoU of two different ones",
    PEOPLE: "the same of the raters' own masks, the people's D_total",
    RATERS: "D_total of answers as raters: mean 1 - IoU of two independent draws, each of a rater drawn uniformly",
    WITHIN: "of that, the part of two draws of one rater",
    BETWEEN: "of that, the part that the raters' own answers differ by",
}
"""Of each name, one line; those of latents begin with one of these."""


def explained(name: str) -> str:
    """One line on a figure; blank of a name that this version does not know."""
    return next((text for begin, text in EXPLAINED.items() if name.startswith(begin)), "")
