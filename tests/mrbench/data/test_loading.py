"""The Python door to data sets: by name, with options, and as torch takes them."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Subset

import mrbench
from mrbench.data.container import open_container, write_container
from mrbench.engine.slices import slices_of
from mrbench.errors import DataAbsentError, UnknownNameError, UsageError

TINY = {"subjects": 9, "size": 32}
PLUGIN = """
import numpy as np
import mrbench
from mrbench.data.caseset import ArrayPixels

MRBENCH_API = "2"


def load(config, folder):
    description = mrbench.Description(name="dots", version="1", classes=("no", "yes"), channels=("c",),
                                      raters=mrbench.Raters.IDENTIFIED, rater_names=("a",))
    pixels = ArrayPixels(np.ones((1, 1, 4, 4), np.float32), np.ones((1, 1, 4, 4), np.uint8))
    return mrbench.CaseSet(description, pixels, ("x",), ("s",), np.ones((1, 1), bool))


@mrbench.hookimpl
def mrbench_datasets():
    return [mrbench.DatasetCard(name="dots", code="loaded_dots:load", config="mrbench:Config", summary="dots")]
"""


@pytest.fixture(scope="module")
def cases() -> mrbench.CaseSet:
    return mrbench.load_dataset("phantom", missing=0.3, **TINY)


def test_a_data_set_is_loaded_by_its_name_and_options(cases: mrbench.CaseSet):
    assert len(set(cases.subjects)) == 9
    assert cases[0].image.shape == (1, 32, 32)
    assert cases.digest == mrbench.load_dataset("phantom", **{k: str(v) for k, v in TINY.items()}, missing="0.3").digest


def test_a_wrong_name_or_option_offers_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'phantom'"):
        mrbench.load_dataset("phantm")
    with pytest.raises(UnknownNameError, match="did you mean 'subjects'"):
        mrbench.load_dataset("phantom", subject=3)
    with pytest.raises(UsageError, match="'size' of phantom has a wrong value"):
        mrbench.load_dataset("phantom", size="large")


def test_a_data_set_that_is_not_prepared_says_how_to_get_it(tmp_path: Path):
    with pytest.raises(DataAbsentError, match="mrbench data prepare npc"):
        mrbench.load_dataset("npc", data=tmp_path)


def test_a_data_set_of_a_file_is_loaded_too(tmp_path: Path):
    # A file's module stays loaded: no other test may name one like it.
    (tmp_path / "loaded_dots.py").write_text(PLUGIN)
    assert mrbench.load_dataset("dots", plugin_files=[tmp_path / "loaded_dots.py"]).ids == ("x",)


def test_torch_sees_what_training_sees(cases: mrbench.CaseSet):
    found = cases.to_torch()
    assert len(found) == len(cases)
    image, masks, present = found[3]
    assert (image.dtype, masks.dtype, present.dtype) == (torch.float32, torch.uint8, torch.bool)
    batch = slices_of(cases, np.arange(len(cases))).batch(torch.arange(len(cases)), torch.device("cpu"))
    for index, (image, masks, present) in enumerate(found[i] for i in range(len(found))):
        assert torch.equal(image, batch.image[index])
        assert torch.equal(masks.long(), batch.masks[index])
        assert torch.equal(present, batch.present[index])
    assert not batch.present.all(), "else absent raters were not tried"


def test_items_are_copies_and_their_number_is_known(cases: mrbench.CaseSet):
    found = cases.to_torch()
    before = found[0][1].clone()
    found[0][1].fill_(7)
    assert torch.equal(found[0][1], before)
    assert len(list(found)) == len(cases), "an index past the end ends an iteration"
    assert torch.equal(found[-1][0], found[len(cases) - 1][0])


def test_a_fold_goes_into_a_loader_with_workers(cases: mrbench.CaseSet):
    fold = cases.split("strict").folds[0]
    batches = list(DataLoader(Subset(cases.to_torch(), fold.train.tolist()), batch_size=4, num_workers=1))
    assert sum(len(image) for image, _, _ in batches) == len(fold.train)


def test_a_streamed_data_set_is_read_case_by_case(cases: mrbench.CaseSet, tmp_path: Path):
    write_container(tmp_path / "c.h5", replace(cases, attributes={}))
    streamed = pickle.loads(pickle.dumps(open_container(tmp_path / "c.h5", "stream").to_torch()))
    for one, other in zip(streamed[5], cases.to_torch()[5], strict=True):
        assert torch.equal(one, other)


def test_a_volume_is_one_item():
    image, masks, present = mrbench.load_dataset("phantom", unit="volume", **TINY).to_torch()[0]
    assert image.shape[0] == 1
    assert image.shape[1:] == masks.shape[1:]
    assert image.ndim == 4
    assert len(masks) == len(present)
