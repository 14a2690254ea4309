"""The data set ``phantom``: generated lesions in CT-like anatomy, marked by raters with styles; needs no files."""

from mrbench.cards import DatasetCard
from mrbench.hooks import hookimpl

MRBENCH_API = "2"

VERSION = "1"
"""Of the definition: any change that moves a pixel raises it."""


@hookimpl
def mrbench_datasets() -> list[DatasetCard]:
    """The one data set that everybody has."""
    return [
        DatasetCard(
            name="phantom",
            code="mrbench_phantom.dataset:load",
            config="mrbench_phantom.config:PhantomConfig",
            summary="generated lung lesions with soft, lobulated and part-solid borders; 2 to 8 raters with styles",
            version=VERSION,
            licence="Apache-2.0",
            source="generated from the configuration in seconds; nothing is downloaded or prepared",
            generated=True,
        )
    ]
