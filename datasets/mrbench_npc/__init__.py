"""The two tasks of the MMIS-2024 challenge, whose files are alike.

``npc``: nasopharyngeal carcinoma on MRI, each tumour outlined by the same four radiologists. ``gbm``: glioblastoma on
MRI, each tumour outlined by one of four.
"""

from mrbench.cards import DatasetCard
from mrbench.hooks import hookimpl

MRBENCH_API = "2"

_LICENCE = "terms of the MMIS-2024 challenge"


@hookimpl
def mrbench_datasets() -> list[DatasetCard]:
    return [
        DatasetCard(
            name="npc",
            code="mrbench_npc.dataset:load",
            config="mrbench_npc.config:NpcConfig",
            prepare="mrbench_npc.prepare:prepare",
            summary="Nasopharyngeal carcinoma, MRI volumes (T1, contrast-enhanced T1, T2), four identified raters",
            citation="Wu et al., Diversified and Personalized Multi-rater Medical Image Segmentation, CVPR 2024",
            licence=_LICENCE,
            source="MMIS-2024 challenge (multi-rater medical image segmentation), task 1, also called NPC-170: "
            "register at the challenge's site and download the training and validation folders",
        ),
        DatasetCard(
            name="gbm",
            code="mrbench_npc.gbm.dataset:load",
            config="mrbench_npc.gbm.config:GbmConfig",
            prepare="mrbench_npc.gbm.prepare:prepare",
            summary="Glioblastoma, MRI volumes, each outlined by one of four identified raters",
            citation="MMIS-2024 challenge (multi-rater medical image segmentation), task 2",
            licence=_LICENCE,
            source="MMIS-2024 challenge, task 2: register at the challenge's site, download the archives Annotator_1 "
            "to Annotator_4 and unpack them",
        ),
    ]
