"""The table of the release. Nobody here held its files.

The layout is that of the figshare page (article 20123135) and of public loaders of it: photographs in
``<Train|Test>/1.0_Original_Fundus_Images/<camera>``, and in ``4.0_OD_CO_Fusion_Images/Expert <n>/<camera>`` a mask of
the same name (some of Expert 4 with ``glsusp`` behind it) and any ending, the disc near 127 and the cup near 255; those
of Expert 1 for one camera are said to be JPEG. 1,009 images train and 336 test. The names of some photographs hold a
patient (``P12``), whose images stay together in ``strict``. Some masks are said to be outlines or fragments; they are
read as they are.
"""

import re
from collections.abc import Mapping

from mrbench.data.released.labels import levels
from mrbench.data.released.layout import Layout, RaterFiles
from mrbench.data.released.release import Release
from mrbench_chaksu import CHAKSU as CARD

EXPERTS = (1, 2, 3, 4, 5)

MASK = "{{part}}/4.0_OD_{{fused}}_Fusion_Images/Expert{{gap}}{}/{{camera}}/{{case}}{{suspect}}.{{mask}}"


def subject_of(fields: Mapping[str, str]) -> str:
    """The patient whom a name tells, else the image."""
    patient = re.search(r"P\d+", fields["case"])
    return f"{fields['camera']}-{patient[0]}" if patient else "-".join(fields[f] for f in ("part", "camera", "case"))


CHAKSU = Release(
    card=CARD,
    files=Layout(
        fields={
            "part": "Train|Test",
            "camera": "Bosch|Forus|Remidio",
            "case": "[^/]+?",
            "photograph": "jpe?g|png|tiff?",
            "mask": "tiff?|jpe?g|png",
            "gap": "[ _]",
            "suspect": "(?:glsusp)?",
            "fused": "CO|OC",
        },
        key=("part", "camera", "case"),
        images=("{part}/1.0_Original_Fundus_Images/{camera}/{case}.{photograph}",),
        raters=tuple(RaterFiles(f"expert-{n}", MASK.format(n)) for n in EXPERTS),
        counts={"Train": 1009, "Test": 336},
        id="{part}-{camera}-{case}",
        subject=subject_of,
        holds="Train and Test",
    ),
    labels=levels({0: 0, 127: 1, 255: 2}),
    classes=("background", "disc rim", "cup"),
    origin="Chákṣu, fused masks of disc and cup",
    published={"published": lambda name: "test" if name.startswith("Test-") else "train"},
)
