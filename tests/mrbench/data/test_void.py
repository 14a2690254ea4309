"""Which pixels of a case count: kept where not all do, part of the digest there, and nowhere else."""

import pickle
from dataclasses import replace

import h5py
import numpy as np
import pytest
import torch

from mrbench.data import container
from mrbench.data.caseset import ArrayPixels
from mrbench.data.checks import check_cases
from mrbench.data.container import open_container, verify_container, write_cases, write_container
from mrbench.data.inspection import inspect_cases
from mrbench.data.plugin_pixels import PluginPixels
from mrbench.errors import DataError, IncompatibleError

BOTH = pytest.mark.parametrize("mode", ["memory", "stream"])
SHAPES = {"slices": [(12, 10)] * 6, "ragged": [(12, 10), (9, 14), (12, 10)], "volumes": [(3, 12, 10), (2, 12, 10)]}


def with_void(cases, which=(0, 2)):
    """The same cases; the first row is void in those chosen."""
    spatial = [cases.pixels.image(i).shape[1:] for i in range(len(cases))]
    valid: list[np.ndarray | None] = [None] * len(cases)
    masks = [cases.pixels.masks(i).copy() for i in range(len(cases))]
    for i in which:
        if i < len(cases):
            valid[i] = np.ones(spatial[i], bool)
            valid[i][..., 0, :] = False
            masks[i][..., 0, :] = 0
    images = [cases.pixels.image(i) for i in range(len(cases))]
    return replace(cases, pixels=ArrayPixels(images, masks, valid))


@BOTH
@pytest.mark.parametrize("layout", SHAPES)
def test_the_pixels_that_count_come_back(tmp_path, make_cases, mode, layout):
    cases = with_void(make_cases(SHAPES[layout]))
    digest = write_container(tmp_path / "a.h5", cases)
    found = open_container(tmp_path / "a.h5", mode)
    for i in range(len(cases)):
        expected = cases.valid(i)
        assert (found.valid(i) is None) == (expected is None) == (found[i].valid is None)
        if expected is not None:
            np.testing.assert_array_equal(found[i].valid, expected, strict=True)
    assert digest == verify_container(tmp_path / "a.h5") == cases.compute_digest()
    one_by_one = (replace(cases[i], image=cases.pixels.image(i)) for i in range(len(cases)))
    assert write_cases(tmp_path / "b.h5", cases.description, one_by_one) == digest
    assert pickle.loads(pickle.dumps(found)).valid(0) is not None


def test_the_digest_knows_which_pixels_count(make_cases):
    cases = make_cases()
    digests = {cases.digest, with_void(cases, (0,)).digest, with_void(cases, (2,)).digest, with_void(cases).digest}
    assert len(digests) == 4


def test_where_all_pixels_count_nothing_is_stored_and_no_digest_changes(tmp_path, make_cases):
    cases = make_cases()
    every = [np.ones((12, 10), bool)] * len(cases)
    said = replace(cases, pixels=replace(cases.pixels, all_valid=every))
    assert said.digest == cases.digest == write_container(tmp_path / "a.h5", said)
    assert said[0].valid is None
    with h5py.File(tmp_path / "a.h5") as file:
        assert "valid" not in file
        assert file.attrs["format_version"] == 1
    write_container(tmp_path / "b.h5", with_void(cases, (4,)))
    with h5py.File(tmp_path / "b.h5") as file:
        assert list(file["valid"]) == ["4"]


def test_a_program_that_knows_nothing_of_void_refuses_the_file(tmp_path, make_cases, monkeypatch):
    write_container(tmp_path / "a.h5", with_void(make_cases()))
    monkeypatch.setattr(container, "VERSION", 1)  # as it was
    with pytest.raises(IncompatibleError, match="written by a later version"):
        open_container(tmp_path / "a.h5")


@BOTH
@pytest.mark.parametrize(
    ("valid", "word"),
    [
        (np.ones((3, 3), np.uint8), "wrong shape"),
        (np.ones((12, 10), np.int16), "wrong type"),
        (np.zeros((12, 10), np.uint8), "is void all over|case 1"),
    ],
)
def test_a_file_with_wrong_valid_pixels_is_refused(tmp_path, make_cases, mode, valid, word):
    write_container(tmp_path / "a.h5", with_void(make_cases(), (1,)))
    with h5py.File(tmp_path / "a.h5", "a") as file:
        del file["valid/1"]
        file.create_dataset("valid/1", data=valid, chunks=valid.shape, compression="gzip")
    with pytest.raises(DataError, match=word):
        check_cases(open_container(tmp_path / "a.h5", mode))
    with pytest.raises(DataError):
        verify_container(tmp_path / "a.h5")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda valid: valid[:-1], "wrong valid pixels"),
        (lambda valid: valid.astype(np.uint8), "wrong valid pixels"),
        (np.zeros_like, "void all over"),
        (lambda valid: valid & ~np.eye(12, 10, dtype=bool), "labels in void pixels"),
    ],
    ids=["another size", "no booleans", "no pixel", "a marked pixel"],
)
def test_what_cannot_be_valid_names_the_case(tmp_path, make_cases, change, word):
    cases = with_void(make_cases(), (3,))
    valid = list(cases.pixels.all_valid)
    valid[3] = change(valid[3])
    wrong = replace(cases, pixels=replace(cases.pixels, all_valid=valid))
    for refused in (check_cases, lambda found: write_container(tmp_path / "a.h5", found)):
        with pytest.raises(DataError, match=rf"case 'case-3' .*{word}"):
            refused(wrong)
    assert not (tmp_path / "a.h5").exists()


def test_pixels_of_a_plugin_may_say_and_need_not(make_cases):
    class Own:
        def __init__(self, cases):
            self.image, self.masks, self.n = cases.pixels.image, cases.pixels.masks, len(cases)

        def __len__(self):
            return self.n

    cases = make_cases()
    silent = replace(cases, pixels=PluginPixels(Own(cases), cases.ids, "own", ()))
    assert silent.digest == cases.digest
    void = with_void(cases)
    said = replace(void, pixels=PluginPixels(void.pixels, cases.ids, "own", ()))
    assert said.digest == void.digest
    np.testing.assert_array_equal(said.valid(0), void.valid(0))


def test_the_share_of_void_pixels_is_that_of_all_pixels(make_cases):
    cases = with_void(make_cases())
    assert cases.void_share() == inspect_cases(cases).void == 2 * 10 / (6 * 120)
    assert make_cases().void_share() == inspect_cases(make_cases()).void == 0


def test_torch_is_told_which_pixels_count(make_cases):
    cases = with_void(make_cases()).to_torch()
    assert not cases.valid(0)[0].any()
    assert cases.valid(0)[1:].all()
    assert torch.equal(cases.valid(1), torch.ones(12, 10, dtype=torch.bool))
