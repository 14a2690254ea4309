"""Pancreas, kidneys and liver on abdominal CT, each scan segmented three times."""

from mrbench.cards import DatasetCard
from mrbench.hooks import hookimpl

MRBENCH_API = "2"

CURVAS = DatasetCard(
    name="curvas-2024",
    code="mrbench_curvas.release:CURVAS.load",
    config="mrbench.data.released.options:ReleasedConfig",
    prepare="mrbench_curvas.release:CURVAS.prepare",
    summary="CURVAS 2024: abdominal CT volumes, pancreas, kidney and liver, three annotations of each",
    citation="Riera-Marín et al., Calibration and Uncertainty for multiRater Volume Assessment in multiorgan "
    "Segmentation (CURVAS) challenge results, arXiv 2505.08685",
    licence="terms of the Zenodo record",
    source="CURVAS challenge 2024: zenodo.org, doi 10.5281/zenodo.11147560 (record 12687192); download the training, "
    "validation and testing archives and unpack them into one folder",
)


@hookimpl
def mrbench_datasets() -> list[DatasetCard]:
    return [CURVAS]
