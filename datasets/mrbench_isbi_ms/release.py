"""The table of the release. Nobody here held its files.

The layout is that of the training data of https://smart-stats-tools.org/lesion-challenge-2015 as public loaders of it
list it: ``training01/preprocessed/training01_01_flair_pp.nii`` for patient 1 at the first of four or five times, and
``training01/masks/training01_01_mask1.nii``, 1 and 2 the rater; the counts are those of Carass et al., NeuroImage 2017.
The masks of the 61 test scans stay with the challenge. The scans of a patient are one subject.
"""

from mrbench.data.description import Unit
from mrbench.data.released.labels import BINARY
from mrbench.data.released.layout import Layout, RaterFiles
from mrbench.data.released.release import Release
from mrbench_isbi_ms import ISBI_MS as CARD

CHANNELS = {"flair": "FLAIR", "mprage": "T1", "pd": "PD", "t2": "T2"}

ISBI_MS = Release(
    card=CARD,
    files=Layout(
        fields={"patient": r"training\d\d", "time": r"\d\d", "gz": r"(?:\.gz)?"},
        key=("patient", "time"),
        images=tuple(f"{{patient}}/preprocessed/{{patient}}_{{time}}_{name}_pp.nii{{gz}}" for name in CHANNELS),
        raters=tuple(
            RaterFiles(f"rater-{n}", f"{{patient}}/masks/{{patient}}_{{time}}_mask{n}.nii{{gz}}") for n in (1, 2)
        ),
        counts={"": 21},
        id="{patient}-{time}",
        subject=lambda fields: fields["patient"],
        holds="training01 to training05",
    ),
    labels=BINARY,
    classes=("background", "lesion"),
    channels=tuple(CHANNELS.values()),
    unit=Unit.VOLUME,
    normalisation="z-score",
    augmentation=("flip", "rotate", "noise"),
    origin="ISBI 2015 longitudinal MS lesion challenge, preprocessed training scans",
)
