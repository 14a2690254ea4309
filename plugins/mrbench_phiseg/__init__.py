"""PHiSeg: samples whose latents lie at several resolutions."""

from typing import Any

from mrbench.cards import MethodCard
from mrbench.hooks import hookimpl
from mrbench.nn.training import COMPACT_TRAINING

MRBENCH_API = "2"

QUICK: dict[str, Any] = {
    "width": 8,
    "resolutions": 5,
    "latent_levels": 3,
    "background_log_odds": 3.0,
    # On the development phantom (phantom.seed=1, fold 0, one seed, S = 16) ged is .174 and dice_soft .841 with it, .448
    # and .423 without; unet-majority's are .298 and .828.
    "equal_deviations": True,
    "epochs": 16,
    "batch_size": 6,
    "learning_rate": 3e-3,
    "schedule": "cosine",
    "patience": None,
}

COMPACT: dict[str, Any] = {
    **COMPACT_TRAINING,
    "width": 6,
    "resolutions": 5,
    "latent_levels": 3,
    "equal_deviations": True,
}
"""It has no backbone to share; these sizes have .25 million parameters."""

DIFFERENCES = (
    "Facts: the paper and the authors' code, which agree; the PyTorch port of UNet-Zoo takes sigma_1 sigma_0 for "
    "sigma_1^2 in the divergence and has 31 % more parameters, and is not followed.",
    "Unused weights: the authors' prior and posterior each raise latents further than anything reads them (443,904 "
    "weights); left out here.",
    "Two classes: two logits and a softmax, two maps of the mask (authors' code); here one logit, their difference, "
    "and one map.",
    "Bilinear doubling: TensorFlow 1's, whose grid is aligned at a corner; PyTorch's, aligned at pixels' centres.",
    "BatchNorm's running statistics: decay .99 per step (authors' code); .9 here, so that short trainings have them.",
    "Checkpoint: lowest energy distance of 16 samples for 100 validation images (authors' code); lowest validation "
    "loss here.",
    "Optimiser: Adam 1e-3, batch 12, constant, up to 5 million steps stopped by hand (authors' code); epochs 100 and "
    "patience 20 are ours.",
    "Weights of the latents' deviations before training: He's (authors' code, paper preset); 0 (quick, compact), so "
    "that prior and posterior start from one deviation, ln 2. From He's, first divergences are 1e5 to 1e8 nats, and "
    "Adam, which remembers their squared gradients for a thousand steps, hardly moves in a training that is no longer.",
    "Images whose sides no resolution divides are padded by their border.",
)


@hookimpl
def mrbench_methods() -> list[MethodCard]:
    """``phiseg``."""
    return [
        MethodCard(
            name="phiseg",
            code="mrbench_phiseg.method:PHiSeg",
            config="mrbench_phiseg.config:PHiSegConfig",
            summary="latents at several resolutions, each given the coarser ones; samples from their prior",
            gives="samples",
            presets={"quick": QUICK, "compact": COMPACT},
            citation="Baumgartner et al., PHiSeg: Capturing Uncertainty in Medical Image Segmentation, MICCAI 2019",
            licence="Apache-2.0",
            requires=("torch",),
            differences=DIFFERENCES,
        )
    ]
