"""Lung nodules of LIDC-IDRI, each outlined by up to four radiologists, in the forms that people hold."""

from mrbench.cards import DatasetCard
from mrbench.hooks import hookimpl

MRBENCH_API = "2"

CITATION = "Armato et al., Med. Phys. 38:915, 2011; Clark et al., J. Digit. Imaging 26:1045, 2013"
LICENCE = "CC BY 3.0"
READINGS = (
    "every mask is of the second reading, in which each reader saw the marks of the three others: readers who never "
    "met agree less, so that human reference rows are flattered"
)

_COLLECTION = "The Cancer Imaging Archive, collection LIDC-IDRI, doi 10.7937/K9/TCIA.2015.LO9QL9SX"


@hookimpl
def mrbench_datasets() -> list[DatasetCard]:
    return [
        DatasetCard(
            name="lidc",
            code="mrbench_lidc.dataset:load",
            config="mrbench_lidc.config:CollectionConfig",
            prepare="mrbench_lidc.prepare:prepare_nodules",
            summary="Lung nodules on CT, one slice each, four readers (virtual raters ranked by area)",
            citation=CITATION,
            licence=LICENCE,
            readings=READINGS,
            source=f"{_COLLECTION}: download its DICOM and XML files, then mrbench data prepare lidc --source FOLDER; "
            "or put lidc_nodules.npz into the data folder (docs/data.md lists its fields)",
        ),
        DatasetCard(
            name="lidc-dev",
            code="mrbench_lidc.dataset:load_development",
            config="mrbench_lidc.config:OutlineConfig",
            summary="Lung nodules of patients of whom lidc has none, one to three of four readers: for development",
            citation=CITATION,
            licence=LICENCE,
            readings=READINGS,
            source="the file of lidc, read as it is: mrbench data info lidc says how to get it",
        ),
        DatasetCard(
            name="lidc-volumes",
            code="mrbench_lidc.volumes:load",
            config="mrbench_lidc.config:CollectionConfig",
            prepare="mrbench_lidc.prepare:prepare_volumes",
            summary="Lung nodules on CT as volumes, four readers (virtual raters ranked by volume)",
            citation=CITATION,
            licence=LICENCE,
            readings=READINGS,
            source=f"{_COLLECTION}: download its DICOM and XML files, then mrbench data prepare lidc-volumes --source "
            "FOLDER",
        ),
        DatasetCard(
            name="lidc-1609",
            code="mrbench_lidc.slices:load_1609",
            config="mrbench_lidc.config:LidcConfig",
            prepare="mrbench_lidc.prepare:prepare_1609",
            summary="The 1,609 CT slices of the published LIDC benchmark, 128 x 128, four readers, with its folds",
            citation=f"{CITATION}; Wang et al., Medical Matting, MICCAI 2021; Wu et al., D-Persona, CVPR 2024",
            licence=LICENCE,
            readings=READINGS,
            source="lidc_attributes.pkl of the benchmark's authors (Medical Matting, used by D-Persona and ProSeg), "
            "then mrbench data prepare lidc-1609 --source FILE",
        ),
        DatasetCard(
            name="lidc-1609-masks",
            code="mrbench_lidc.masks:load",
            config="mrbench_lidc.config:LidcConfig",
            summary="Masks of the 1,609 published slices without their images: agreement and fusions, no learning",
            citation=CITATION,
            licence=LICENCE,
            readings=READINGS,
            source="lidc_slices_masks.npz in the data folder, read as it is (docs/data.md lists its fields)",
        ),
        DatasetCard(
            name="lidc-15096",
            code="mrbench_lidc.slices:load_15096",
            config="mrbench_lidc.config:EverySliceConfig",
            prepare="mrbench_lidc.prepare:prepare_15096",
            summary="The 15,096 CT slices of the Probabilistic U-Net's PyTorch data, 128 x 128, anonymous readers",
            citation=f"{CITATION}; Kohl et al., Probabilistic U-Net, NeurIPS 2018",
            licence=LICENCE,
            readings=READINGS,
            source="data_lidc.pickle of the Probabilistic U-Net in PyTorch, "
            "then mrbench data prepare lidc-15096 --source FILE",
        ),
        DatasetCard(
            name="lidc-phiseg",
            code="mrbench_lidc.slices:load_phiseg",
            config="mrbench_lidc.config:EverySliceConfig",
            prepare="mrbench_lidc.prepare:prepare_phiseg",
            summary="CT slices as PHiSeg's code stores them, 128 x 128, anonymous readers, with its split",
            citation=f"{CITATION}; Baumgartner et al., PHiSeg, MICCAI 2019",
            licence=LICENCE,
            readings=READINGS,
            source="data_lidc.hdf5, which PHiSeg's code makes, then mrbench data prepare lidc-phiseg --source FILE",
        ),
    ]
