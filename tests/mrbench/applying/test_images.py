"""An image of one's own is read as a data set would store it, and its answer lies on its own grid."""

from dataclasses import replace
from itertools import permutations, product
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from mrbench import Description, Raters, Unit
from mrbench.applying.images import Named, named_images, read_image
from mrbench.errors import DataError, MrbenchError, UsageError

GREY = Description(
    name="grey", version="1", classes=("no", "yes"), channels=("CT",), raters=Raters.IDENTIFIED,
    rater_names=("a", "b"), normalisation="z-score",
)  # fmt: skip
COLOUR = replace(GREY, channels=("red", "green", "blue"))
VOLUME = replace(GREY, unit=Unit.VOLUME)
RNG = np.random.default_rng(0)


def named(path: Path) -> Named:
    (found,) = named_images([path])
    return found


def png(path: Path, values: np.ndarray) -> Named:
    Image.fromarray(values).save(path)
    return named(path)


def nifti(path: Path, values: np.ndarray, affine: np.ndarray) -> Named:
    """Values with axes x, y, z, ..."""
    image = nibabel.Nifti1Image(values, affine)
    image.header.set_xyzt_units("mm")
    nibabel.save(image, path)
    return named(path)


def npy(path: Path, values: np.ndarray) -> Named:
    np.save(path, values)
    return named(path)


def test_a_picture_is_as_it_lies_and_colours_are_channels(tmp_path: Path):
    grey, colour = RNG.integers(0, 255, (4, 6), np.uint8), RNG.integers(0, 255, (4, 6, 3), np.uint8)
    found = read_image(png(tmp_path / "a.png", grey), GREY)
    assert np.array_equal(found.array, grey[None])
    assert np.array_equal(found.as_file(grey), grey)
    assert found.spacing is None
    found = read_image(png(tmp_path / "b.png", colour), COLOUR)
    assert np.array_equal(found.array, colour.transpose(2, 0, 1))
    assert found.as_file(grey).shape == (4, 6)


@pytest.mark.parametrize("axes", [*permutations(range(3))])
@pytest.mark.parametrize("flips", [*product((1, -1), repeat=3)])
def test_volumes_in_any_orientation_come_to_one_and_answers_go_back(
    tmp_path: Path, axes: tuple[int, int, int], flips: tuple[int, int, int]
):
    ras = RNG.integers(0, 999, (3, 4, 5)).astype(np.int16)  # along x, y, z
    stored = np.flip(ras.transpose(axes), [axis for axis in range(3) if flips[axis] < 0])
    affine = np.eye(4)
    affine[:3, :3] = 0
    for new, old in enumerate(axes):
        affine[old, new] = flips[new] * (1, 2, 3)[old]
        affine[old, 3] = 0 if flips[new] > 0 else (ras.shape[old] - 1) * (1, 2, 3)[old]
    found = read_image(nifti(tmp_path / "v.nii.gz", stored, affine), VOLUME)
    assert np.array_equal(found.array[0], ras.T)
    assert found.spacing == (2, 1)
    assert np.array_equal(found.as_file(ras.T), stored.T)


def test_a_slice_for_volumes_is_one_plane_and_channels_of_arrays_stand_first_or_last(tmp_path: Path):
    plane = RNG.normal(size=(4, 6))
    found = read_image(npy(tmp_path / "a.npy", plane), VOLUME)
    assert found.array.shape == (1, 1, 4, 6)
    assert found.as_file(found.array[0]).shape == (4, 6)
    several = RNG.normal(size=(3, 4, 6)).astype(np.float32)
    assert np.array_equal(read_image(npy(tmp_path / "b.npy", several), COLOUR).array, several)
    last = np.ascontiguousarray(several.transpose(1, 2, 0))
    assert np.array_equal(read_image(npy(tmp_path / "c.npy", last), COLOUR).array, several)


@pytest.mark.parametrize(
    ("values", "description", "message"),
    [
        (np.zeros((4, 4, 3), np.uint8), GREY, r"is a volume(.|\n)*\(4, 4, 3\)"),
        (np.zeros((4, 4), np.uint8), COLOUR, r"other channels(.|\n)*3 \(red, green, blue\)(.|\n)*axes 4x4"),
        (np.zeros((5, 4, 4), np.uint8), GREY, r"is a volume(.|\n)*\(5, 4, 4\)"),
        (np.zeros((2, 5, 4, 4), np.uint8), VOLUME, "neither a slice nor a volume"),
        (np.full((4, 4), np.nan), GREY, "not finite"),
        (np.full((4, 4), 1000, np.uint16), replace(GREY, normalisation="byte"), r"0 to 255(.|\n)*1000"),
        (np.full((4, 4), 0.5), replace(GREY, normalisation="byte"), r"0 to 255(.|\n)*0\.5"),
    ],
)
def test_an_image_of_another_kind_is_refused_by_its_name(
    tmp_path: Path, values: np.ndarray, description: Description, message: str
):
    with pytest.raises(DataError, match=message) as caught:
        read_image(npy(tmp_path / "odd.npy", values), description)
    assert "odd.npy" in caught.value.message


def test_colours_for_grey_and_what_is_no_image_are_refused(tmp_path: Path):
    with pytest.raises(DataError, match=r"expected: 1 \(CT\)\n  found:    3 \(red, green, blue\)"):
        read_image(png(tmp_path / "rgb.png", np.zeros((4, 4, 3), np.uint8)), GREY)
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(MrbenchError, match=r"notes\.txt is not a whole"):
        read_image(named(tmp_path / "notes.txt"), GREY)
    whole = (tmp_path / "rgb.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"cut\.png is not a whole"):
        read_image(named(tmp_path / "cut.png"), COLOUR)


def test_a_folder_gives_all_its_images_in_natural_order_with_names_of_their_own(tmp_path: Path):
    (tmp_path / "sub").mkdir()
    for name in ("b10.png", "b9.png", "sub/b9.nii.gz", "notes.txt", ".hidden.png"):
        (tmp_path / name).write_bytes(b"")
    assert [one.name for one in named_images([tmp_path])] == ["b9", "b10", "sub/b9"]
    with pytest.raises(UsageError, match="2 images are called 'b9'"):
        named_images([tmp_path / "b9.png", tmp_path / "sub/b9.nii.gz"])


def test_paths_without_images_say_so(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(UsageError, match=r"holds no images(.|\n)*found:    notes\.txt"):
        named_images([tmp_path])
    with pytest.raises(UsageError, match=r"there is no image .*gone\.png"):
        named_images([tmp_path / "gone.png"])
