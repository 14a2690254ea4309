"""The tasks of the QUBIQ challenge: small collections of slices, each outlined by three to seven raters."""

from mrbench.cards import DatasetCard
from mrbench.hooks import hookimpl

MRBENCH_API = "2"


@hookimpl
def mrbench_datasets() -> list[DatasetCard]:
    return [
        DatasetCard(
            name="qubiq",
            code="mrbench_qubiq.dataset:load",
            config="mrbench_qubiq.config:QubiqConfig",
            prepare="mrbench_qubiq.prepare:prepare",
            summary="QUBIQ: brain growth, brain tumour, kidney or prostate slices (MR, CT), 3 to 7 raters; option task",
            citation="Li et al., QUBIQ: Uncertainty Quantification for Biomedical Image Segmentation Challenge, "
            "arXiv 2405.18435",
            licence="terms of the QUBIQ challenge",
            source="QUBIQ challenge (uncertainty in biomedical image segmentation), 2020 and 2021: "
            "register at the challenge's site and download the training and validation archives",
        )
    ]
