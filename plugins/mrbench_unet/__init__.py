"""U-Nets: one answer for what the raters agree on, one for each rater, and the simplest samples."""

from typing import Any

from mrbench.cards import MethodCard
from mrbench.hooks import hookimpl
from mrbench.nn.training import COMPACT

MRBENCH_API = "2"

QUICK: dict[str, Any] = {
    "backbone.name": "unet",
    "background_log_odds": 3.0,
    "epochs": 16,
    "batch_size": 6,
    "learning_rate": 3e-3,
    "patience": None,
}

DIFFERENCES = (
    "No paper defines these rows in full: the optimiser, the batch and the epochs are those of the multi-rater methods "
    "that they stand beside (D-Persona and ProSeg: Adam 1e-4, batch 12, 100 epochs); the loss is the pixels' mean "
    "cross-entropy, where the released baselines use a Dice loss over the batch; patience 20 is ours.",
)

CITATION = "Ronneberger, Fischer and Brox, MICCAI 2015; encoder: He et al., CVPR 2016"

FAMILY: dict[str, Any] = {
    "config": "mrbench_unet.config:UNetConfig",
    "licence": "Apache-2.0",
    "requires": ("torch",),
    "presets": {"quick": QUICK, "compact": COMPACT},
}

MAJORITY = MethodCard(
    name="unet-majority",
    code="mrbench_unet.method:UNetMajority",
    summary="one U-Net trained on the majority vote of the raters present",
    gives="consensus",
    citation=CITATION,
    differences=DIFFERENCES,
    **FAMILY,
)

STAPLE = MethodCard(
    name="unet-staple",
    code="mrbench_unet.method:UNetStaple",
    summary="one U-Net trained on the STAPLE fusion of the raters present",
    gives="consensus",
    citation=f"{CITATION}; STAPLE: Warfield, Zou and Wells, IEEE Transactions on Medical Imaging 23(7), 2004",
    differences=(
        *DIFFERENCES,
        "The fusion is estimated once for each training slice, of volumes too, with the defaults of the row staple; "
        "the label is the one of highest probability, the lowest on a tie.",
    ),
    **FAMILY,
)

RATER = MethodCard(
    name="unet-rater",
    code="mrbench_unet.method:UNetRater",
    summary="one U-Net per rater, trained on that rater's masks alone",
    gives="raters",
    citation=CITATION,
    differences=DIFFERENCES,
    # R networks take R times as long as one.
    **FAMILY | {"presets": {"quick": QUICK | {"epochs": 12}, "compact": COMPACT}},
)

HEADS = MethodCard(
    name="unet-heads",
    code="mrbench_unet.heads:UNetHeads",
    summary="one U-Net with an output for each rater: the control of personalisation",
    gives="raters",
    citation=CITATION,
    differences=(
        *DIFFERENCES,
        "The networks of the raters share all weights but those of the last 1x1 convolution; other multi-head networks "
        "share less, such as the encoder alone.",
    ),
    **FAMILY,
)

MARGINAL_DIFFERENCES = (
    *DIFFERENCES,
    "A sample is a level set of the probability at a uniform level, the same for all pixels: it has the right "
    "probability of each pixel and knows nothing of which pixels go together beyond their order. Networks trained so "
    "are elsewhere asked for one probability map.",
    "Of more than two classes the probabilities divide [0, 1] in the order of the labels.",
)

SOFT = MethodCard(
    name="unet-soft",
    code="mrbench_unet.labels:UNetSoft",
    summary="one U-Net trained on the share of the raters; samples are its level sets: the control of diversity",
    gives="samples",
    citation=f"{CITATION}; averaged labels: Lemay et al., MELBA 2022:031",
    differences=MARGINAL_DIFFERENCES,
    **FAMILY,
)

RANKS = MethodCard(
    name="unet-ranks",
    code="mrbench_unet.labels:UNetRanks",
    summary="unet-soft for ranked raters: rank r of R is where p > 1 - (r - 1/2) / R",
    gives="raters",
    multi_class=False,
    citation=SOFT.citation,
    differences=(
        *DIFFERENCES,
        "No paper defines this row: (r - 1/2) / R is the middle of the r-th of R equal parts of the levels.",
    ),
    **FAMILY | {"config": "mrbench_unet.config:RanksConfig"},
)

RANDOM = MethodCard(
    name="unet-random",
    code="mrbench_unet.labels:UNetRandom",
    summary="one U-Net trained on a random rater's mask at each step; samples are its level sets",
    gives="samples",
    citation=f"{CITATION}; label sampling: Jensen et al., MICCAI 2019; Lemay et al., MELBA 2022:031",
    differences=MARGINAL_DIFFERENCES,
    **FAMILY,
)

DROPOUT = MethodCard(
    name="mc-dropout",
    code="mrbench_unet.dropout:MonteCarloDropout",
    summary="one U-Net whose samples are drawn by dropout that stays on",
    gives="samples",
    citation="Gal and Ghahramani, ICML 2016; Kendall, Badrinarayanan and Cipolla, BMVC 2017 (arXiv 2015)",
    differences=(
        *DIFFERENCES,
        "Gal and Ghahramani put dropout before every layer with weights and tie its rate to weight decay; Kendall et "
        "al. found it too strong in all blocks of SegNet and best, at .5, after the central four of the encoder and "
        "decoder. Here: after the two deepest blocks of each, of the ResNet-34 U-Net and of the small one; the last "
        "block of a decoder has none.",
        "Both train on one label of each image; here on the mask of a rater present, drawn at each step.",
        "Both average the samples' probabilities; here each is a sample, to stand beside those of other rows. A "
        "volume's slices share the network of a draw.",
        "The validation loss is that of the network without dropout.",
    ),
    **FAMILY | {"config": "mrbench_unet.config:DropoutConfig"},
)


@hookimpl
def mrbench_methods() -> list[MethodCard]:
    """The eight rows."""
    return [MAJORITY, STAPLE, RATER, HEADS, SOFT, RANKS, RANDOM, DROPOUT]
