"""Kinds of faulty input that people reported: each with several inputs, and properties that hold for all of a kind."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from mrbench import load_dataset
from mrbench.data.container import open_container
from mrbench.data.importing.request import Request
from mrbench.data.importing.understand import understand
from mrbench.data.importing.write import write_import
from mrbench.data.inspection import inspect_cases
from mrbench.data.mask_rules import read_rules
from mrbench.errors import DataError

nibabel = pytest.importorskip("nibabel")

DATA = Path(os.environ.get("MRBENCH_TEST_DATA") or Path(__file__).parents[5] / "shared" / "data")
SHAPE = (6, 5, 4)


def affine(angle=0.0, place=(-10.0, 5.0, 30.0), spacing=(0.8, 0.9, 3.0)):
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    found = np.eye(4)
    found[:3, :3], found[:3, 3] = turn @ np.diag(spacing), place
    return found


def as_it_is(values, where):
    return values, where


def stored(axes, flips):
    """Another order and direction of the axes of the same voxels."""

    def change(values, where):
        moved = where.copy()
        moved[:3, :3] = where[:3, list(axes)]
        values = values.transpose(axes)
        for axis in np.flatnonzero(flips):
            moved[:3, 3] += moved[:3, axis] * (values.shape[axis] - 1)
            moved[:3, axis] *= -1
            values = np.flip(values, axis)
        return np.ascontiguousarray(values), moved

    return change


def volumes(folder, image=as_it_is, mask=as_it_is, angle=0.0):
    for k in range(3):
        values = np.random.default_rng(k).normal(size=SHAPE).astype(np.float32)
        files = {"images": (image, values), "masks/ann": (mask, values > 0), "masks/bo": (mask, values > 0.5)}
        for name, (change, content) in files.items():
            (folder / name).mkdir(parents=True, exist_ok=True)
            array, where = change(content.astype(np.float32 if name == "images" else np.uint8), affine(angle))
            made = nibabel.Nifti1Image(array, where)
            made.header.set_xyzt_units("mm")
            nibabel.save(made, folder / name / f"c{k}.nii")
    return folder


def digest(folder):
    return write_import(understand(Request(folder=folder, name="mine")), folder.parent / "a.h5")


ORDERS = st.tuples(st.permutations(range(3)), st.tuples(st.booleans(), st.booleans(), st.booleans()))
FEW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FEW
@given(ORDERS, ORDERS, st.sampled_from([0.0, 0.1, -0.3]))
def test_flips_and_permutations_of_images_and_masks_import_to_one_digest(tmp_path_factory, image, mask, angle):
    folder = tmp_path_factory.mktemp("orders")
    plain = volumes(folder / "plain", angle=angle)
    other = volumes(folder / "other", stored(*image), stored(*mask), angle)
    assert digest(plain) == digest(other)


@FEW
@given(
    ORDERS,
    st.sampled_from([0, 1, 2]),
    st.floats(0.06, 40) | st.floats(-40, -0.06),
)
def test_masks_that_are_shifted_are_refused_however_they_are_stored(tmp_path_factory, order, axis, voxels):
    def shifted(values, where):
        values, where = stored(*order)(values, where)
        where[:3, 3] += where[:3, axis] * voxels
        return values, where

    with pytest.raises(DataError, match="has another place than its image") as caught:
        digest(volumes(tmp_path_factory.mktemp("shifts") / "f", mask=shifted))
    assert caught.value.expected.startswith("axes RAS, 6 x 5 x 4 voxels of 0.8 x 0.9 x 3 mm")
    assert caught.value.found.startswith("axes ")


@FEW
@given(ORDERS, st.sampled_from([0, 1, 2]), st.sampled_from([0.5, 0.9, 1.05, 1.5, 3.0]))
def test_masks_of_another_spacing_are_refused_however_they_are_stored(tmp_path_factory, order, axis, factor):
    def rescaled(values, where):
        values, where = stored(*order)(values, where)
        where[:3, axis] *= factor
        return values, where

    with pytest.raises(DataError, match=r"has another (spacing|place) than its image"):
        digest(volumes(tmp_path_factory.mktemp("scales") / "f", mask=rescaled))


# --- masks of several codes, and of values that are not judged


def pictures(folder, change):
    """Three raters; ``change`` makes the values of a mask from its rater and labels 0, 1, 2."""
    for k in range(4):
        labels = np.zeros((16, 16), np.uint8)
        labels[3 : 9 + k, 4:12], labels[5:7, 6:8] = 1, 2
        for name, values in (
            ("images", np.full((16, 16), 9 * k, np.uint8)),
            *((f"masks/{rater}", change(rater, labels)) for rater in ("ann", "bo", "cay")),
        ):
            (folder / name).mkdir(parents=True, exist_ok=True)
            Image.fromarray(values.astype(np.uint8)).save(folder / name / f"c{k}.png")
    return folder


CODES = [(0, 127, 255), (0, 64, 128), (0, 100, 200), (10, 20, 30), (255, 128, 0)]


@pytest.mark.parametrize("code", CODES)
def test_raters_with_codes_of_their_own_are_refused_and_then_read_alike(tmp_path, code):
    table = np.array(code)
    folder = pictures(tmp_path / "f", lambda rater, labels: table[labels] if rater == "bo" else labels)
    if max(code) > 31:
        with pytest.raises(DataError, match="cannot tell which classes") as caught:
            understand(Request(folder=folder, name="x"))
        assert "--labels 0=background,1=NAME" in caught.value.hint
    names = ("background", "disc", "cup")
    others = {f"{value}={names[k]}" for k, value in enumerate(code) if value not in (0, 1, 2)}
    if code[2] == 0:
        return  # bo's foreground is what the others call background: no map reads both
    rules = read_rules(["1=disc,2=cup", *others], None, False)
    found = understand(Request(folder=folder, name="x", rules=rules))
    assert set(found.labels.classes) == set(names)
    plain = understand(Request(folder=pictures(tmp_path / "g", lambda rater, labels: labels), name="x"))
    assert found.survey.marks.dice() == plain.survey.marks.dice() == 1
    write_import(found, tmp_path / "a.h5")
    masks = open_container(tmp_path / "a.h5").pixels.masks(1)
    assert np.array_equal(masks[0], masks[1])


@pytest.mark.parametrize("values", [(0, 80, 200), (0, 254, 255), (0, 33, 34), (0, 40, 41), (0, 99, 100)])
def test_values_above_31_that_are_not_one_are_refused_with_the_options_that_read_them(tmp_path, values):
    table = np.array(values)
    with pytest.raises(DataError) as caught:
        understand(Request(folder=pictures(tmp_path / "f", lambda _, labels: table[labels]), name="x"))
    for option in ("--labels", "--threshold", "--invert"):
        assert option in caught.value.hint


@pytest.mark.parametrize("slope", [1 / 3, 0.1, 1e-4, 3 / 32767, 2.0])
def test_labels_stored_with_a_slope_are_labels(tmp_path, slope):
    folder = volumes(tmp_path / "f")
    for path in folder.glob("masks/*/*.nii"):
        whole = np.asarray(nibabel.load(path).dataobj) * 2
        made = nibabel.Nifti1Image(np.rint(whole / slope).astype(np.int32), affine())
        made.header.set_xyzt_units("mm")
        nibabel.save(made, path)
        content = bytearray(path.read_bytes())
        content[112:116] = np.float32(slope).tobytes()  # scl_slope
        path.write_bytes(content)
    assert understand(Request(folder=folder, name="x")).labels.values == (0, 2)


# --- the real sets

REAL = {
    "bubil-phase": "ae749016a01e4b1dc043afb635acd0afd5664b0fcc15b70984feee0c599a387a",
    "bubil-fluo": "72c07c50ab5b3715831f5d050a880725daea9e0a59bcc9b5fcd927908b56c8bb",
    "bubil-mri": "738f031bde4809d5853f70bc093853e56e0b0a05716317b3e5f8ee9e2d44541d",
    "lidc": "e4ee707e85e466b88eaea0cc88f957e93decdaed845367cdb862e9f55718dd89",
    "lidc-1609-masks": "f7576cc129429090239f9bbbd3e39d8d16d8d9fdec57361496a0812167d8f3a7",
}


@pytest.mark.parametrize("name", REAL)
def test_content_of_the_real_sets_is_what_it_was(name):
    if not DATA.is_dir():
        pytest.skip(f"no real data in {DATA}")
    assert load_dataset(name, data=DATA).digest == REAL[name]


@pytest.mark.parametrize(("name", "dice"), [("lidc", 0.826), ("lidc-1609-masks", 0.856), ("bubil-phase", 0.860)])
def test_agreement_of_the_real_sets_is_what_was_measured_without_this_program(name, dice):
    if not DATA.is_dir():
        pytest.skip(f"no real data in {DATA}")
    assert inspect_cases(load_dataset(name, data=DATA)).dice == pytest.approx(dice, abs=5e-4)


# --- pixels that are not judged, by what is said of the values


@pytest.mark.parametrize(
    ("labels", "threshold", "invert", "table"),
    [
        ((), None, False, (0, 1, 255)),
        (("0=background,1=disc",), None, False, (0, 1, 255)),
        (("100=disc",), None, False, (0, 100, 255)),
        ((), 100, False, (0, 100, 255)),
        ((), None, True, (9, 0, 255)),
        ((), 100, True, (100, 0, 255)),
        ((), None, False, (0, 200, 7)),
    ],
)
def test_void_pixels_are_those_of_the_file_whatever_is_said_of_the_others(tmp_path, labels, threshold, invert, table):
    codes = np.array(table)
    folder = pictures(tmp_path / "f", lambda _, drawn: codes[drawn])
    rules = read_rules(labels, threshold, invert)
    found = understand(Request(folder=folder, name="x", rules=rules, void=table[2]))
    write_import(found, tmp_path / "a.h5")
    case = open_container(tmp_path / "a.h5")[1]
    drawn = np.zeros((16, 16), np.uint8)
    drawn[3:10, 4:12], drawn[5:7, 6:8] = 1, 2
    assert np.array_equal(case.valid, drawn != 2)
    assert all(np.array_equal(one, drawn == 1) for one in case.masks)
