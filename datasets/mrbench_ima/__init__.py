"""IMA++ (ISIC MultiAnnot++): skin lesions on dermoscopic images, outlined by some of sixteen annotators."""

from mrbench.cards import DatasetCard
from mrbench.hooks import hookimpl

MRBENCH_API = "2"

_CITATION = "Abhishek, Kawahara and Hamarneh, IMA++: ISIC Archive Multi-Annotator Dermoscopic Skin Lesion Segmentation "
_SOURCE = (
    "IMA++: download segs.zip and the lists (IMAplusplus_*_metadata.csv) from doi.org/10.5281/zenodo.14201692 and the "
    "images by their ISIC names from the ISIC Archive, all into one folder, segs.zip unpacked"
)

IMA = DatasetCard(
    name="ima-plus-plus",
    code="mrbench_ima.releases:IMA.load",
    config="mrbench_ima.config:ImaConfig",
    prepare="mrbench_ima.releases:IMA.prepare",
    summary="IMA++: 2,394 dermoscopic images with two to five masks, sixteen identified annotators, most absent",
    citation=f"{_CITATION}Dataset, arXiv 2512.21472",
    licence="terms of the Zenodo record; images: those of the ISIC Archive",
    source=_SOURCE,
)
IMA_ALL = DatasetCard(
    name="ima-plus-plus-all",
    code="mrbench_ima.releases:IMA_ALL.load",
    config="mrbench_ima.config:ImaConfig",
    prepare="mrbench_ima.releases:IMA_ALL.prepare",
    summary="IMA++, whole: 14,967 dermoscopic images, most with a single mask",
    citation=f"{_CITATION}Dataset, arXiv 2512.21472",
    licence="terms of the Zenodo record; images: those of the ISIC Archive",
    source=_SOURCE,
)


@hookimpl
def mrbench_datasets() -> list[DatasetCard]:
    return [IMA, IMA_ALL]
