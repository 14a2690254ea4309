"""Rows made of trainings of other methods: ensembles over seeds, averages over flips of the image, marginals."""

from mrbench.cards import MethodCard
from mrbench.hooks import hookimpl

MRBENCH_API = "2"

ENSEMBLE = MethodCard(
    name="ensemble",
    code="mrbench_wrappers.ensemble:Ensemble",
    config="mrbench_wrappers.config:EnsembleConfig",
    summary="k trainings of a method from k seeds: their samples in turn, their mean probabilities",
    version="2",
    wraps=True,
    citation="Lakshminarayanan, Pritzel and Blundell, NeurIPS 2017",
    licence="Apache-2.0",
    differences=(
        "The paper trains on all data, from other initial weights and orders of the images, which is what a seed is "
        "here; its adversarial training, which it calls optional, is left out.",
        "The paper averages the members' probabilities; a member that draws samples keeps them, each member giving "
        "its share, so that the spread within members stays beside that between them.",
    ),
)

TTA = MethodCard(
    name="tta",
    code="mrbench_wrappers.tta:TestTimeAugmentation",
    config="mrbench_wrappers.config:AugmentationConfig",
    summary="one training of a method asked for every flip of the image: samples in turn, mean probabilities",
    version="2",
    wraps=True,
    citation="Wang et al., Neurocomputing 338, 2019",
    licence="Apache-2.0",
    differences=(
        "The paper draws flips, rotations by any angle, scales and noise at random; here each flip, and each quarter "
        "turn of a square image, is taken once: they leave the grid, so that no answer is interpolated.",
        "The paper's one label is the vote of the augmented answers; here probabilities are averaged, as for any "
        "other row.",
    ),
)


MARGINALS = MethodCard(
    name="marginals",
    code="mrbench_wrappers.marginals:Marginals",
    config="mrbench_wrappers.config:MarginalsConfig",
    summary="level sets of a method's mean probability: what its samples are worth beyond their mean is the difference",
    wraps=True,
    gives="samples",
    licence="Apache-2.0",
    differences=(
        "No paper defines this row. The mean is that of the probabilities of the first draws, else of the raters' "
        "predictions, else the consensus; the levels are uniform and independent.",
    ),
)


@hookimpl
def mrbench_methods() -> list[MethodCard]:
    """``ensemble``, ``tta`` and ``marginals``."""
    return [ENSEMBLE, TTA, MARGINALS]
