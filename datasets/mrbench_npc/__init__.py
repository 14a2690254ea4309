"""Nasopharyngeal carcinoma on MRI, each tumour outlined by the same four radiologists."""

from mrbench.hooks import hookimpl
from mrbench.records import DatasetRecord

MRBENCH_API = "1"


@hookimpl
def mrbench_datasets() -> list[DatasetRecord]:
    return [
        DatasetRecord(
            name="npc",
            factory="mrbench_npc.dataset:Npc",
            config="mrbench_npc.config:NpcConfig",
            prepare="mrbench_npc.prepare:prepare",
            summary="Nasopharyngeal carcinoma, MRI volumes (T1, contrast-enhanced T1, T2), four identified raters",
            citation="Wu et al., Diversified and Personalized Multi-rater Medical Image Segmentation, CVPR 2024",
            licence="terms of the MMIS-2024 challenge",
            source="MMIS-2024 challenge (multi-rater medical image segmentation), task 1, also called NPC-170: "
            "register at the challenge's site and download the training and validation folders",
        )
    ]
