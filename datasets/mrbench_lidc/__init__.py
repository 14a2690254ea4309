"""Lung nodules of LIDC-IDRI, each outlined by up to four radiologists."""

from mrbench.hooks import hookimpl
from mrbench.records import DatasetRecord

MRBENCH_API = "1"


@hookimpl
def mrbench_datasets() -> list[DatasetRecord]:
    return [
        DatasetRecord(
            name="lidc",
            factory="mrbench_lidc.dataset:Lidc",
            config="mrbench_lidc.config:LidcConfig",
            summary="Lung nodules on CT, one slice each, four readers (virtual raters ranked by area)",
            citation="Armato et al., Med. Phys. 38:915, 2011; Clark et al., J. Digit. Imaging 26:1045, 2013",
            licence="CC BY 3.0",
            source="The Cancer Imaging Archive, collection LIDC-IDRI, doi 10.7937/K9/TCIA.2015.LO9QL9SX; "
            "the reader takes lidc_nodules.npz as it is, from the data folder (docs/data.md lists its fields)",
        )
    ]
