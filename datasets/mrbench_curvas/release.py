"""The table of the release. Nobody here held its files.

The layout is that of the challenge's code, https://github.com/SYCAI-Technologies/curvas-challenge: a folder per patient
with ``image.nii.gz`` and ``annotation_1.nii.gz`` to ``annotation_3.nii.gz``, labels 1 pancreas, 2 kidney, 3 liver. Who
checked the 90 scans reports masks with a scaled header, a single header that states another slice thickness than its
scan although its array fits (``BARE``), and a third annotation without a pancreas (UKCHLL082), which is kept as it is.
"""

from mrbench.data.description import Unit
from mrbench.data.released.labels import coded
from mrbench.data.released.layout import Layout, RaterFiles
from mrbench.data.released.release import Release
from mrbench_curvas import CURVAS as CARD

RATERS = (1, 2, 3)

PARTS = {"training_set": "train", "validation_set": "validation", "testing_set": "test"}

BARE = ("UKCHLL007/annotation_2.nii.gz",)

CURVAS = Release(
    card=CARD,
    files=Layout(
        fields={"part": "|".join(PARTS), "case": "[^/]+"},
        key=("part", "case"),
        images=("{part}/{case}/image.nii.gz",),
        raters=tuple(RaterFiles(f"annotation-{n}", f"{{part}}/{{case}}/annotation_{n}.nii.gz") for n in RATERS),
        counts={"training_set": 20, "validation_set": 5, "testing_set": 65},
        id="{part}-{case}",
        subject=lambda fields: fields["case"],
        holds="training_set, validation_set and testing_set",
    ),
    labels=coded({0: 0, 1: 1, 2: 2, 3: 3}),
    classes=("background", "pancreas", "kidney", "liver"),
    channels=("CT",),
    unit=Unit.VOLUME,
    normalisation="z-score",
    augmentation=("rotate", "noise"),
    origin="CURVAS challenge 2024, three annotations of each scan",
    published={"20-5-65": lambda name: PARTS[name.partition("-")[0]]},
    bare=BARE,
)
