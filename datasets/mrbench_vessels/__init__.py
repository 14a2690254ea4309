"""Vessels on photographs of the retina, outlined twice: DRIVE, CHASE_DB1 and STARE."""

from mrbench.cards import DatasetCard
from mrbench.hooks import hookimpl

MRBENCH_API = "2"

DRIVE = DatasetCard(
    name="drive",
    code="mrbench_vessels.releases:DRIVE.load",
    config="mrbench_vessels.config:DriveConfig",
    prepare="mrbench_vessels.releases:DRIVE.prepare",
    summary="DRIVE: vessels on 40 photographs of the retina, outlined once (training) or twice (test)",
    citation="Staal et al., Ridge-based vessel segmentation in color images of the retina, IEEE TMI 23(4) 2004",
    licence="free for research and education, no commercial redistribution",
    source="DRIVE: register at drive.grand-challenge.org, download training.zip and test.zip and unpack both into one "
    "folder; later downloads have no test masks, which partial=true lets pass",
)
CHASE = DatasetCard(
    name="chase-db1",
    code="mrbench_vessels.releases:CHASE.load",
    config="mrbench_vessels.config:TwoObserversConfig",
    prepare="mrbench_vessels.releases:CHASE.prepare",
    summary="CHASE_DB1: vessels on 28 photographs of the retina of 14 children, two identified observers",
    citation="Fraz et al., An Ensemble Classification-Based Approach Applied to Retinal Blood Vessel Segmentation, "
    "IEEE TBME 59(9) 2012",
    licence="CC BY 4.0",
    source="CHASE_DB1: download CHASEDB1.zip from researchdata.kingston.ac.uk/96 and unpack it",
)
STARE = DatasetCard(
    name="stare",
    code="mrbench_vessels.releases:STARE.load",
    config="mrbench_vessels.config:TwoObserversConfig",
    prepare="mrbench_vessels.releases:STARE.prepare",
    summary="STARE: vessels on 20 photographs of the retina, two identified observers",
    citation="Hoover, Kouznetsova and Goldbaum, Locating Blood Vessels in Retinal Images, IEEE TMI 19(3) 2000",
    licence="free for research",
    source="STARE: download stare-images.tar, labels-ah.tar and labels-vk.tar from "
    "cecas.clemson.edu/~ahoover/stare/probing and unpack each into a folder of its name",
)


@hookimpl
def mrbench_datasets() -> list[DatasetCard]:
    return [DRIVE, CHASE, STARE]
