"""Human reference rows: training-free fusions and bounds made of the raters' own masks."""

from typing import Any

from mrbench.cards import MethodCard
from mrbench.hooks import hookimpl

MRBENCH_API = "2"

FUSION: dict[str, Any] = {"kind": "fusion", "licence": "Apache-2.0"}

STAPLE_DIFFERENCES = (
    "The paper suggests to start near sensitivity = specificity = 0.99999 or from a map of averages; this starts "
    "from the share of the raters, as ITK's STAPLEImageFilter does (start = identity: the other one). The answer "
    "depends on the start.",
    "The paper watches the sum of the weights; this stops when no probability of a rater's label given the true "
    "one changes by more than 1e-7, as ITK's STAPLEImageFilter does.",
    "ITK's STAPLEImageFilter returns NaN where all raters mark nothing or everything; this returns their mask.",
    "ITK's MultiLabelSTAPLEImageFilter starts from a vote, miscounts its ties (as of SimpleITK 2.5.7), stops at "
    "changes of 1e-5 and gives labels; here more than two classes start from the shares and stop at 1e-7 as two "
    "do, and give probabilities.",
    "The paper's optional spatial prior (Markov random field) is left out.",
)

MAJORITY_VOTE = MethodCard(
    name="majority-vote",
    code="mrbench_consensus.majority_vote:fuse",
    summary="at least half of the raters present, ties to the foreground",
    gives="consensus",
    **FUSION,
)

STAPLE = MethodCard(
    name="staple",
    code="mrbench_consensus.staple:fuse",
    config="mrbench_consensus.config:StapleOptions",
    summary="expectation-maximisation of the hidden truth and of each rater's confusion matrix",
    gives="consensus",
    citation="Warfield, Zou and Wells, IEEE Transactions on Medical Imaging 23(7), 2004",
    differences=STAPLE_DIFFERENCES,
    **FUSION,
)

LEAVE_ONE_OUT = MethodCard(
    name="leave-one-out",
    code="mrbench_consensus.leave_one_out:fuse",
    summary="each rater against the others: the raters' own agreement",
    gives="consensus",
    **FUSION,
)

RANDOM_RATER = MethodCard(
    name="random-rater",
    code="mrbench_consensus.random_rater:fuse",
    summary="each rater against random ones of the other raters",
    gives="samples raters",
    **FUSION,
)

ORACLE_RATERS = MethodCard(
    name="oracle-raters",
    code="mrbench_consensus.oracle_raters:fuse",
    summary="the raters asked again: new masks of the same persons, where the data set can draw them",
    gives="samples raters",
    redraws=True,
    **FUSION,
)

LEVEL_SETS = MethodCard(
    name="level-sets",
    code="mrbench_consensus.level_sets:fuse",
    summary="nested level sets of the vote count: at least 1, 2, ... of the raters",
    version="2",
    gives="samples raters",
    takes_turns=True,
    multi_class=False,
    **FUSION,
)


@hookimpl
def mrbench_methods() -> list[MethodCard]:
    """The six human reference rows."""
    return [MAJORITY_VOTE, STAPLE, LEAVE_ONE_OUT, RANDOM_RATER, ORACLE_RATERS, LEVEL_SETS]
