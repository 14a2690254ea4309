"""Masks and maps are files of the image's kind, on its own grid."""

from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from mrbench import Description, Raters, Unit
from mrbench.applying.applied import Applied, Mask
from mrbench.applying.images import named_images, read_image
from mrbench.applying.written import write_applied

GREY = Description(
    name="grey", version="1", classes=("no", "yes"), channels=("CT",), raters=Raters.IDENTIFIED,
    rater_names=("a", "b c"),
)  # fmt: skip
RNG = np.random.default_rng(0)


def answer(spatial: tuple[int, ...], classes: int = 2) -> Applied:
    samples = [Mask(RNG.integers(0, classes, spatial).astype(np.uint8)) for _ in range(2)]
    mean = RNG.random((classes - 1, *spatial)).astype(np.float32)
    return Applied({"samples": samples, "raters": [Mask(samples[0].labels, 1)]}, "samples", mean, mean / 4)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_mask_of_a_nifti_image_lands_on_the_same_places_in_the_patient(tmp_path: Path):
    stored = np.zeros((5, 6, 7), np.int16)
    stored[1, 2, 3] = 900
    affine = np.array([[0, 0, -2.0, 30], [-0.5, 0, 0, 7], [0, 3, 0, -4], [0, 0, 0, 1]])
    image = nibabel.Nifti1Image(stored, affine)
    image.header.set_xyzt_units("mm")
    nibabel.save(image, tmp_path / "v.nii.gz")
    volume = replace(GREY, unit=Unit.VOLUME)
    (named,) = named_images([tmp_path / "v.nii.gz"])
    read = read_image(named, volume)
    labels, probability = (read.array[0] > 0).astype(np.uint8), (read.array[0] / 900).astype(np.float32)
    found = Applied({"samples": [Mask(labels)]}, "samples", probability[None], probability[None] / 4)
    write_applied(tmp_path / "o", read, found, volume, raters=False)
    for name, value in (("sample-000", 1), ("mean", 1.0), ("variance", 0.25)):
        written = nibabel.load(tmp_path / "o" / f"{name}.nii.gz")
        assert written.shape == stored.shape
        assert np.allclose(written.affine, affine)
        assert np.allclose(written.get_fdata(), (stored > 0) * value)


def test_a_picture_gets_pictures_and_maps_are_16_bits(tmp_path: Path):
    Image.fromarray(np.zeros((4, 6), np.uint8)).save(tmp_path / "a.png")
    (named,) = named_images([tmp_path / "a.png"])
    found = answer((4, 6))
    write_applied(tmp_path / "o", read_image(named, GREY), found, GREY, raters=True)
    assert names(tmp_path / "o") == [
        "mean.png", "rater-b%20c.png", "sample-000.png", "sample-001.png", "variance.png"
    ]  # fmt: skip
    with Image.open(tmp_path / "o" / "mean.png") as picture:
        assert np.allclose(np.asarray(picture) / 65535, found.mean[0], atol=1e-5)
    with Image.open(tmp_path / "o" / "sample-001.png") as picture:
        assert np.array_equal(np.asarray(picture), found.masks["samples"][1].labels * 255)


def test_arrays_get_arrays_and_of_several_classes_each_has_its_maps(tmp_path: Path):
    np.save(tmp_path / "a.npy", np.zeros((4, 6), np.float32))
    (named,) = named_images([tmp_path / "a.npy"])
    three = replace(GREY, classes=("no", "cup", "disc/rim"))
    found = answer((4, 6), 3)
    write_applied(tmp_path / "o", read_image(named, three), found, three, raters=False)
    assert names(tmp_path / "o") == [
        "mean-cup.npz", "mean-disc%2Frim.npz", "sample-000.npz", "sample-001.npz", "variance-cup.npz",
        "variance-disc%2Frim.npz",
    ]  # fmt: skip
    with np.load(tmp_path / "o" / "mean-disc%2Frim.npz") as archive:
        assert np.array_equal(archive["arr_0"], found.mean[1])
    with np.load(tmp_path / "o" / "sample-000.npz") as archive:
        assert np.array_equal(archive["arr_0"], found.masks["samples"][0].labels)


@pytest.mark.parametrize("ending", [".tif", ".jpg"])
def test_other_pictures_get_png(tmp_path: Path, ending: str):
    Image.fromarray(np.zeros((4, 6), np.uint8)).save(tmp_path / f"a{ending}")
    (named,) = named_images([tmp_path / f"a{ending}"])
    write_applied(tmp_path / "o", read_image(named, GREY), answer((4, 6)), GREY, raters=False)
    assert all(name.endswith(".png") for name in names(tmp_path / "o"))
