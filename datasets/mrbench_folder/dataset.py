"""From an imported container to cases."""

from pathlib import Path

from mrbench.data.caseset import CaseSet
from mrbench.data.container import open_container
from mrbench.errors import DataAbsentError
from mrbench_folder.config import FolderConfig

IMPORT = "mrbench data import FOLDER"


def load(config: FolderConfig, folder: Path) -> CaseSet:
    """The cases of one container, streamed; what they are and how they are split, the container says.

    Raises:
        DataAbsentError: no container is named, or there is none of that name.
        DataError: it is there and wrong.
    """
    if not config.file:
        raise DataAbsentError(
            "data set 'folder' needs a container",
            expected="the option file: what mrbench data import wrote from a folder of images and masks",
            found=f"no file named; {_containers(folder)}",
            hint=f"{IMPORT}, which prints the commands that go on",
        )
    path = folder / Path(config.file).expanduser()  # an absolute path stands for itself
    if not path.is_file():
        raise _absent(path, config.file, folder)
    return open_container(path, "stream")


def _absent(path: Path, name: str, folder: Path) -> DataAbsentError:
    here = Path(name).absolute()
    return DataAbsentError(
        f"there is no container {path}",
        expected="a path, or the name of a file in the data folder",
        found="a file of that name in the present folder" if here.is_file() else _containers(folder),
        hint=f"file={here}" if here.is_file() else IMPORT,
    )


def _containers(folder: Path) -> str:
    names = sorted(path.name for path in folder.glob("*.h5"))
    return f"{', '.join(names) or 'no container'} in {folder}"
