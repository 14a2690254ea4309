"""The tables of the three releases. Nobody here held their files; the layouts are those of these pages:

- DRIVE: https://drive.grand-challenge.org, and the listing and counts of
  https://github.com/openmedlab/Awesome-Medical-Dataset/blob/main/resources/DRIVE.md. Masks of the first set are 0 and
  255, of the second 0 and 1. The folders ``mask`` hold the field of view and are not read.
- CHASE_DB1: https://researchdata.kingston.ac.uk/96: 84 files in one folder; the split of 20 and 8 images is usual.
- STARE: https://cecas.clemson.edu/~ahoover/stare/probing: gzipped PPM. The split into halves is that of Maninis et al.,
  MICCAI 2016.
"""

from mrbench.data.released.labels import BINARY
from mrbench.data.released.layout import Layout, RaterFiles
from mrbench.data.released.release import Release
from mrbench_vessels import CHASE as CHASE_CARD
from mrbench_vessels import DRIVE as DRIVE_CARD
from mrbench_vessels import STARE as STARE_CARD

CLASSES = ("background", "vessel")

DRIVE = Release(
    card=DRIVE_CARD,
    files=Layout(
        fields={"part": "training|test", "case": r"\d\d"},
        key=("part", "case"),
        images=("{part}/images/{case}_{part}.tif",),
        raters=(
            RaterFiles("manual1", "{part}/1st_manual/{case}_manual1.gif"),
            RaterFiles("manual2", "{part}/2nd_manual/{case}_manual2.gif", complete=("test",)),
        ),
        counts={"training": 20, "test": 20},
        id="{part}-{case}",
        subject=lambda fields: fields["case"],
        holds="training and test",
    ),
    labels=BINARY,
    classes=CLASSES,
    origin="DRIVE, training and test",
    published={"training-test": lambda name: "test" if name.startswith("test-") else "train"},
)

CHASE = Release(
    card=CHASE_CARD,
    files=Layout(
        fields={"child": r"\d\d", "eye": "[LR]"},
        key=("child", "eye"),
        images=("Image_{child}{eye}.jpg",),
        raters=(
            RaterFiles("1stHO", "Image_{child}{eye}_1stHO.png"),
            RaterFiles("2ndHO", "Image_{child}{eye}_2ndHO.png"),
        ),
        counts={"": 28},
        id="{child}{eye}",
        subject=lambda fields: fields["child"],
        holds="Image_01L.jpg, Image_01L_1stHO.png and so on",
    ),
    labels=BINARY,
    classes=CLASSES,
    origin="CHASE_DB1",
    published={"20-8": lambda name: "train" if int(name[:2]) <= 10 else "test"},
)

STARE = Release(
    card=STARE_CARD,
    files=Layout(
        fields={"case": r"im\d{4}", "gz": r"(?:\.gz)?"},
        key=("case",),
        images=("{case}.ppm{gz}",),
        raters=(RaterFiles("ah", "{case}.ah.ppm{gz}"), RaterFiles("vk", "{case}.vk.ppm{gz}")),
        counts={"": 20},
        id="{case}",
        subject=lambda fields: fields["case"],
        holds="stare-images, labels-ah and labels-vk",
    ),
    labels=BINARY,
    classes=CLASSES,
    origin="STARE, the twenty images with vessels by hand",
    published={"10-10": lambda name: "train" if name <= "im0139" else "test"},
)
