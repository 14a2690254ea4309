"""The data set ``folder``: any container, such as one that ``mrbench data import`` wrote from a folder of files."""

from mrbench.cards import DatasetCard
from mrbench.hooks import hookimpl

MRBENCH_API = "2"


@hookimpl
def mrbench_datasets() -> list[DatasetCard]:
    return [
        DatasetCard(
            name="folder",
            code="mrbench_folder.dataset:load",
            config="mrbench_folder.config:FolderConfig",
            opens="file",
            summary="Images and masks of your own, imported from any folder",
            source="your own image and mask files: mrbench data import FOLDER",
        )
    ]
