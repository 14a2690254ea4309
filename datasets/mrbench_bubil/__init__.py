"""Three collections of the Boston University Biomedical Image Library, each image outlined by three or ten raters."""

from mrbench.cards import DatasetCard
from mrbench.hooks import hookimpl

MRBENCH_API = "2"

CITATION = "Gurari et al., IEEE Winter Conference on Applications of Computer Vision (WACV), 2015"
LICENCE = "BSD-4-Clause (Boston University)"


def _record(collection: str, summary: str) -> DatasetCard:
    return DatasetCard(
        name=f"bubil-{collection}",
        code=f"mrbench_bubil.dataset:load_{collection}",
        config="mrbench_bubil.config:BubilConfig",
        summary=summary,
        citation=CITATION,
        licence=LICENCE,
        source="Boston University Biomedical Image Library (BU-BIL); "
        f"the reader takes bubil_{collection}.npz as it is, from the data folder (docs/data.md lists its fields)",
    )


@hookimpl
def mrbench_datasets() -> list[DatasetCard]:
    return [
        _record("phase", "Cells under phase contrast, five persons with two tools each: ten identified raters"),
        _record("fluo", "Cells under fluorescence, three identified experts"),
        _record("mri", "Vessel sections on MRI, five persons with two tools each: ten identified raters"),
    ]
