"""Gleason grades on cores of prostate tissue, each graded by some of six pathologists."""

from mrbench.cards import DatasetCard
from mrbench.hooks import hookimpl

MRBENCH_API = "2"

GLEASON = DatasetCard(
    name="gleason-2019",
    code="mrbench_gleason.release:GLEASON.load",
    config="mrbench_gleason.config:GleasonConfig",
    prepare="mrbench_gleason.release:GLEASON.prepare",
    summary="Gleason 2019: 244 tissue cores, Gleason grades 3 to 5, six identified pathologists with gaps",
    citation="Nir et al., Automatic grading of prostate cancer in digitized histopathology images, MedIA 50, 2018",
    licence="terms of the Gleason2019 challenge",
    source="Gleason2019 challenge: register at gleason2019.grand-challenge.org, download 'Train Imgs.zip' and "
    "Maps1_T.zip to Maps6_T.zip and unpack them into one folder",
)


@hookimpl
def mrbench_datasets() -> list[DatasetCard]:
    return [GLEASON]
