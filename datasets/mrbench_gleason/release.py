"""The table of the release. Nobody here held its files.

The layout is that of the challenge (https://gleason2019.grand-challenge.org) as public loaders of it list it:
``Train Imgs/slide001_core003.jpg`` and ``Maps<n>_T/slide001_core003_classimg_nonconvex.png``, n the pathologist, values
0 background, 1 and 6 benign, 3, 4 and 5 grades. Which pathologist graded which core is told by the files alone; see
Foucart et al., SIPAIM 2021 (doi 10.1117/12.2604307) for the pitfalls. Masks of the test cores were not released.

Names tell the slide of a core and not its patient: a slide is a subject, so that no fold splits one.
"""

from mrbench.data.released.labels import coded
from mrbench.data.released.layout import Layout, RaterFiles
from mrbench.data.released.release import Release
from mrbench_gleason import GLEASON as CARD

PATHOLOGISTS = (1, 2, 3, 4, 5, 6)

GLEASON = Release(
    card=CARD,
    files=Layout(
        fields={"gap": "[ _]", "slide": r"slide\d+", "core": r"core\d+", "suffix": "(?:_classimg_nonconvex)?"},
        key=("slide", "core"),
        images=("Train{gap}Imgs/{slide}_{core}.jpg",),
        raters=tuple(
            RaterFiles(f"pathologist-{n}", f"Maps{n}_T/{{slide}}_{{core}}{{suffix}}.png", complete=())
            for n in PATHOLOGISTS
        ),
        counts={"": 244},
        id="{slide}-{core}",
        subject=lambda fields: fields["slide"],
        holds="'Train Imgs' and Maps1_T to Maps6_T",
    ),
    labels=coded({0: 0, 1: 0, 6: 0, 3: 1, 4: 2, 5: 3}),
    classes=("benign or background", "grade 3", "grade 4", "grade 5"),
    origin="Gleason2019 challenge, training cores",
)
