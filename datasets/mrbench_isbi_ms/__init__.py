"""Lesions of multiple sclerosis on brain MRI, five patients followed over years, each scan outlined by two raters."""

from mrbench.cards import DatasetCard
from mrbench.hooks import hookimpl

MRBENCH_API = "2"

ISBI_MS = DatasetCard(
    name="isbi-2015-ms",
    code="mrbench_isbi_ms.release:ISBI_MS.load",
    config="mrbench.data.released.options:ReleasedConfig",
    prepare="mrbench_isbi_ms.release:ISBI_MS.prepare",
    summary="ISBI 2015: MS lesions on brain MRI (FLAIR, T1, PD, T2), 21 scans of 5 patients, two identified raters",
    citation="Carass et al., Longitudinal multiple sclerosis lesion segmentation: Resource and challenge, NeuroImage "
    "148, 2017",
    licence="terms of the challenge",
    source="ISBI 2015 longitudinal MS lesion challenge: register at smart-stats-tools.org/lesion-challenge-2015, "
    "download the training data and unpack them",
)


@hookimpl
def mrbench_datasets() -> list[DatasetCard]:
    return [ISBI_MS]
