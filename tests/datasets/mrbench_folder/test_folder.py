import subprocess
import sys

import numpy as np
import pytest

from mrbench.data.caseset import ArrayPixels, CaseSet
from mrbench.data.container import write_container
from mrbench.data.description import Description, Raters
from mrbench.data.splits import split_by_subject
from mrbench.errors import DataAbsentError, DataError
from mrbench_folder import dataset
from mrbench_folder.config import FolderConfig


@pytest.fixture
def container(tmp_path):
    ids = tuple("abcd")
    description = Description(
        name="mine", version="1", classes=("no", "yes"), channels=("c",), raters=Raters.IDENTIFIED, rater_names=("r",)
    )
    pixels = ArrayPixels(np.zeros((4, 1, 5, 6), np.uint8), np.ones((4, 1, 5, 6), np.uint8))
    splits = {"strict": split_by_subject(ids, folds=3, seed=0)}
    cases = CaseSet(description, pixels, ids, ids, np.ones((4, 1), bool), splits)
    write_container(tmp_path / "data" / "mine.h5", cases)
    return tmp_path / "data" / "mine.h5"


def load(name, folder):
    return dataset.load(FolderConfig(file=str(name)), folder)


def test_the_plugin_is_light():
    code = (
        "import sys, mrbench_folder; mrbench_folder.mrbench_datasets(); assert not {'numpy', 'h5py'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_name_is_looked_up_in_the_data_folder_and_a_path_stands_for_itself(container, tmp_path):
    for cases in (load("mine.h5", container.parent), load(container, tmp_path / "elsewhere")):
        assert cases.ids == tuple("abcd")
        assert len(cases.splits["strict"].folds) == 3


def test_without_a_file_it_says_what_makes_one(tmp_path):
    with pytest.raises(DataAbsentError, match="data set 'folder' needs a container") as caught:
        dataset.load(FolderConfig(), tmp_path)
    assert caught.value.hint.startswith("mrbench data import FOLDER")


def test_a_file_that_is_not_there_is_looked_for_in_the_present_folder(container, tmp_path, monkeypatch):
    with pytest.raises(DataAbsentError, match="there is no container") as caught:
        load("mine.h5", tmp_path / "elsewhere")
    assert caught.value.hint == "mrbench data import FOLDER"
    assert caught.value.found == f"no container in {tmp_path / 'elsewhere'}"
    with pytest.raises(DataAbsentError) as caught:
        load("mime.h5", container.parent)
    assert caught.value.found == f"mine.h5 in {container.parent}"
    monkeypatch.chdir(container.parent)
    with pytest.raises(DataAbsentError) as caught:
        load("mine.h5", tmp_path / "elsewhere")
    assert caught.value.hint == f"file={container}"


def test_what_is_no_container_is_refused(tmp_path):
    (tmp_path / "mine.h5").write_bytes(b"hello")
    with pytest.raises(DataError, match="mine"):
        load("mine.h5", tmp_path)
