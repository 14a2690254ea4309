"""The data set ``phantom``: generated lesions in CT-like anatomy, marked by raters with styles; needs no files."""

from mrbench.hooks import hookimpl
from mrbench.records import DatasetRecord

MRBENCH_API = "1"

VERSION = "1"
"""Of the definition: any change that moves a pixel raises it."""


@hookimpl
def mrbench_datasets() -> list[DatasetRecord]:
    """The one data set that everybody has."""
    return [
        DatasetRecord(
            name="phantom",
            factory="mrbench_phantom.dataset:Phantom",
            config="mrbench_phantom.config:PhantomConfig",
            summary="generated lung lesions with soft, lobulated and part-solid borders; 2 to 8 raters with styles",
            version=VERSION,
            licence="Apache-2.0",
            source="generated from the configuration in seconds; nothing is downloaded or prepared",
            generated=True,
        )
    ]
