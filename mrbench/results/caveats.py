"""What a reader must know of a row before comparing: decided here, and put into words here."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from mrbench.cards import Capability
from mrbench.configuration import as_text
from mrbench.data.splits import LEAKY_PREFIX
from mrbench.engine.cell import ALL_CASES, CellSpec
from mrbench.engine.equivalence import other_code
from mrbench.engine.result import Result

SEES_TEST_MASKS = "sees test masks"
SINGLE_OUTPUT = "single output"
CONSENSUS_AS_SAMPLE = "its consensus as the one sample"
EXTERNAL_PREDICTIONS = "external predictions"
FIRST_SAMPLES = "first samples"
OTHER_LOSS = "other loss than the paper's"
UNDER_TRAINED = "under-trained"
TAKES_TURNS = "samples in turn"
RATERS_AGAIN = "raters asked again"
VOID_PIXELS = "void pixels"
OTHER_CODE = "other code than this"
PLUGIN_FILE = "local plugin file"
"""Of a method that nobody can install by name."""

DAMAGED_DIAGNOSIS = "its diagnostics.json is damaged (mrbench diagnose writes it anew)"

EXPLAINED = {
    SEES_TEST_MASKS: "sees the masks it is scored on (never ranked)",
    SINGLE_OUTPUT: "single output, scored as one sample and as every rater's",
    EXTERNAL_PREDICTIONS: "external predictions, of which nobody knows what they were made from (never ranked)",
    TAKES_TURNS: "samples taken in turn are no independent draws: ged_unbiased, which supposes those, is missing",
    RATERS_AGAIN: "new masks of the same raters, with noise of their own: what a perfect sampler scores",
    VOID_PIXELS: "void pixels of the test cases count nowhere; distances of boundaries take them for background",
    FIRST_SAMPLES: "scored on the first samples of more; what needs the mean probability of all is blank",
}
"""Caveats that a line below a table puts in other words."""


IN_SHORT = (OTHER_LOSS, UNDER_TRAINED)
"""Caveats that begin so, and say more than there is room for below a name."""


def in_short(caveat: str) -> str:
    """What stands below a method's name: of another loss not its options, which take many lines there."""
    return next((begin for begin in IN_SHORT if caveat.startswith(begin)), caveat)


def caveats_of(spec: CellSpec, description: Mapping[str, Any]) -> tuple[str, ...]:
    """A phrase each.

    Args:
        spec: of any of the cells.
        description: what the data set declares.
    """
    found = [EXTERNAL_PREDICTIONS] if spec.kind == "external" else []
    if spec.kind == "fusion" or Capability.SEES_TEST_MASKS in spec.capabilities:
        found.append(SEES_TEST_MASKS)
    if Capability.REDRAWS in spec.capabilities:
        found.append(RATERS_AGAIN)
    if {Capability.DIVERSE, Capability.PERSONAL}.isdisjoint(spec.capabilities):
        found.append(SINGLE_OUTPUT)
    elif Capability.CONSENSUS in spec.capabilities and Capability.DIVERSE not in spec.capabilities:
        found.append(CONSENSUS_AS_SAMPLE)
    if {Capability.DIVERSE, Capability.TAKES_TURNS} <= {*spec.capabilities}:
        found.append(TAKES_TURNS)
    if spec.split != "strict":
        leaky = spec.split.startswith(LEAKY_PREFIX)
        found.append(f"split {spec.split}{', which may train on test subjects' * leaky}")
    if spec.test_on and spec.test_on.split != ALL_CASES:
        found.append(f"tested on split {spec.test_on.split}")
    if spec.limit is not None:
        found.append(f"first {spec.limit} cases")
    found += spec.conditions.caveats
    if spec.kind == "method" and spec.preset not in ("paper", "default"):
        found.append(f"preset {spec.preset}")
    if spec.objective:
        found.append(
            f"{OTHER_LOSS}: {', '.join(f'{name} = {as_text(value)}' for name, value in spec.objective.items())}"
        )
    found += [f"{name} = {value}" for name, value in spec.settings.items()]
    if description["raters"] == "ranked":
        found.append("virtual raters")
    return tuple(found)


def code_caveats(results: Iterable[Result]) -> tuple[str, ...]:
    """That cells were computed by other code than what is installed here, with the files that differ."""
    found = (other_code(result.spec, (result.record or {}).get("code", {})) for result in results if result.finished)
    return next(((f"{OTHER_CODE}: {files}",) for files in found if files), ())


def void_caveats(results: Iterable[Result]) -> tuple[str, ...]:
    """That cells were tested on cases with void pixels."""
    return (VOID_PIXELS,) if any((result.record or {}).get("void") for result in results) else ()


def caveat_lines(rows: Iterable[tuple[str, Sequence[str]]], everyone: str = "all rows") -> Iterator[str]:
    """For each caveat, what it means and which rows have it; ``rows``: each label with its caveats."""
    rows = list(rows)
    found: dict[str, dict[str, None]] = {}
    for label, own in rows:
        for caveat in own:
            found.setdefault(caveat, {})[label] = None
    labels = {label for label, _ in rows}
    between = "; " if any("," in label for label in labels) else ", "
    for caveat, having in found.items():
        yield f"{EXPLAINED.get(caveat, caveat)}: {everyone if set(having) == labels else between.join(having)}"
