"""Optic disc and cup on fundus photographs, each outlined by the same six ophthalmologists."""

from mrbench.cards import DatasetCard
from mrbench.hooks import hookimpl

MRBENCH_API = "2"


@hookimpl
def mrbench_datasets() -> list[DatasetCard]:
    return [
        DatasetCard(
            name="riga",
            code="mrbench_riga.dataset:load",
            config="mrbench_riga.config:RigaConfig",
            prepare="mrbench_riga.prepare:prepare",
            summary="RIGA: fundus photographs, optic disc rim and cup, six identified raters",
            citation="Almazroa et al., Retinal fundus images for glaucoma analysis: the RIGA dataset, SPIE Medical "
            "Imaging 2018",
            licence="CC BY-NC",
            source="RIGA, in the form of label masks that MRNet published: the folder with DiscRegion and the lists "
            "Glaucoma_multirater_BinRushed.csv, _MESSIDOR.csv and _Magrabia.csv",
        )
    ]
