"""Masks of all raters in one file per case, and masks that are none of a rater."""

import numpy as np
import pytest

from mrbench.data.container import open_container
from mrbench.data.importing.request import Request
from mrbench.data.importing.understand import understand
from mrbench.data.importing.write import write_import
from mrbench.errors import DataError, UsageError

nibabel = pytest.importorskip("nibabel")

N, RATERS, SHAPE = 4, 3, (7, 6, 5)
AFFINE = np.diag([0.8, 0.9, 3.0, 1.0])


def marks(k, shape=SHAPE):
    """``(R, x, y, z)``: boxes that grow with case and rater."""
    found = np.zeros((RATERS, *shape), np.uint8)
    for r in range(RATERS):
        found[r, 1 : 4 + r, 1 : 2 + k] = 1
    return found


def volumes(folder, stack, affine=AFFINE, shape=SHAPE, channels=()):
    """Images and one mask file per case as NIfTI; ``stack`` makes an array of ``(R, x, y, z)``."""
    for k in range(N):
        for name, values in (
            (f"images/c{k}.nii.gz", np.ones((*shape, *channels))),
            (f"masks/c{k}.nii.gz", stack(marks(k, shape))),
        ):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            made = nibabel.Nifti1Image(values, affine if name.startswith("images") else AFFINE)
            made.header.set_xyzt_units("mm")
            nibabel.save(made, folder / name)
    return folder


def arrays(folder, stack, image=lambda k: np.ones((8, 9), np.float32)):
    for k in range(N):
        for name, values in ((f"images/c{k}.npy", image(k)), (f"masks/c{k}.npy", stack(k))):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            np.save(folder / name, values)
    return folder


def imported(folder, **options):
    found = understand(Request(folder=folder, name="mine", **options))
    write_import(found, folder.parent / "a.h5")
    return open_container(folder.parent / "a.h5")


def last(values):
    return np.moveaxis(values, 0, -1)


@pytest.mark.parametrize("channels", [(), (RATERS,), (2,)])
def test_the_fourth_axis_of_a_nifti_mask_is_of_raters(tmp_path, channels):
    cases = imported(volumes(tmp_path / "f", last, channels=channels))
    assert cases.description.rater_names == ("rater-1", "rater-2", "rater-3")
    assert cases.pixels.image(0).shape == (channels or (1,))[:1] + SHAPE[::-1]
    for k in range(N):
        assert np.array_equal(cases.pixels.masks(k), marks(k).transpose(0, 3, 2, 1))


def test_the_third_axis_is_where_images_are_planes(tmp_path):
    cases = imported(volumes(tmp_path / "f", lambda one: last(one[..., 0]), shape=(7, 6, 1)))
    assert np.array_equal(cases.pixels.masks(2), marks(2, (7, 6, 1))[..., 0].transpose(0, 2, 1))


def test_stacks_follow_their_headers_onto_their_images(tmp_path):
    turned = AFFINE.copy()
    turned[0, 0], turned[0, 3] = -0.8, 0.8 * (SHAPE[0] - 1)  # the images run to the left
    one = imported(volumes(tmp_path / "one", last))
    other = imported(volumes(tmp_path / "other", last, affine=turned))
    assert np.array_equal(one.pixels.masks(1), other.pixels.masks(1))


BOX = np.zeros((8, 9), np.uint8)
BOX[2:5, 2:6] = 1
STACK = np.stack([BOX, np.roll(BOX, 1, 0), np.roll(BOX, 1, 1)])


@pytest.mark.parametrize("stack", [STACK, last(STACK), STACK.astype(bool), STACK * 255, STACK[:2]])
def test_the_axis_that_an_image_lacks_is_of_raters_in_numpy_files(tmp_path, stack):
    cases = imported(arrays(tmp_path / "f", lambda k: stack))
    first = stack if stack.shape[1:] == (8, 9) else np.moveaxis(stack, -1, 0)
    assert np.array_equal(cases.pixels.masks(0), first > 0)


def test_raters_of_a_stack_can_be_named_and_their_number_has_to_fit(tmp_path):
    folder = arrays(tmp_path / "f", lambda k: STACK)
    assert imported(folder, rater_names=("ann", "bo", "cay")).description.rater_names == ("ann", "bo", "cay")
    with pytest.raises(DataError, match=r"c0\.npy holds 3 raters"):
        imported(folder, rater_names=("ann", "bo"))


def test_an_axis_that_cannot_be_told_is_asked_for(tmp_path):
    cube = np.zeros((5, 5, 5), np.uint8)
    cube[:, 1:3, 2] = 1
    folder = arrays(tmp_path / "f", lambda k: cube, image=lambda k: np.ones((5, 5), np.float32))
    with pytest.raises(DataError, match="can hold raters along its first or its last axis") as caught:
        imported(folder)
    assert "--rater-axis first, or --rater-axis last" in caught.value.hint
    assert np.array_equal(imported(folder, rater_axis="first").pixels.masks(0), cube)
    assert np.array_equal(imported(folder, rater_axis="last").pixels.masks(0), np.moveaxis(cube, -1, 0))


@pytest.mark.parametrize("options", [{"rater_axis": "first"}, {"rater_names": ("a", "b")}])
def test_words_on_a_stack_that_is_not_there_are_refused(tmp_path, options):
    folder = arrays(tmp_path / "f", lambda k: BOX)
    for k in range(N):
        (folder / "masks/bo").mkdir(exist_ok=True)
        (folder / "masks/ann").mkdir(exist_ok=True)
        np.save(folder / f"masks/bo/c{k}.npy", BOX)
        (folder / f"masks/c{k}.npy").rename(folder / f"masks/ann/c{k}.npy")
    with pytest.raises(UsageError, match="is for mask files that hold several raters"):
        imported(folder, **options)


# --- masks that are none of a rater


def votes(n, side=24):
    """How many of n discs of growing size hold each pixel."""
    y, x = np.ogrid[:side, :side]
    return sum(((y - 11) ** 2 + (x - 12) ** 2 <= (3 + r) ** 2).astype(np.uint8) for r in range(n))


def plain(k):
    return np.ones((24, 24), np.float32)


@pytest.mark.parametrize("n", [3, 4, 5, 7, 8])
def test_counts_of_votes_are_refused_with_what_to_do(tmp_path, n):
    folder = arrays(tmp_path / "f", lambda k: np.roll(votes(n), k, 0), image=plain)
    with pytest.raises(DataError, match="look like counts of votes") as caught:
        imported(folder)
    assert f"--threshold {n // 2 + 1} takes the majority" in caught.value.hint
    assert imported(folder, classes=tuple(f"c{i}" for i in range(n))).description.n_classes == n + 1


LAYERS = np.repeat(np.arange(6, dtype=np.uint8), 4)[:, None] * np.ones((1, 24), np.uint8)
APART = np.zeros((24, 24), np.uint8)
APART[2:6, 2:20], APART[9:13, 2:20], APART[16:20, 2:20] = 1, 2, 3
RING = np.where(votes(2) == 1, 2, np.where(votes(2) == 2, 3, APART == 1)).astype(np.uint8)


@pytest.mark.parametrize("labels", [LAYERS, LAYERS[::-1], APART, RING, votes(2), votes(1)])
def test_layers_organs_and_nested_classes_are_no_counts(tmp_path, labels):
    assert imported(arrays(tmp_path / "f", lambda k: labels, image=plain)).description.n_raters == 1


def test_a_rater_who_counts_the_others_is_none(tmp_path):
    for k in range(N):
        masks = {"ann": votes(1), "bo": np.roll(votes(1), 1, 0), "cay": np.roll(votes(1), k, 1)}
        masks["votes"] = sum(masks.values())
        (tmp_path / "f/images").mkdir(parents=True, exist_ok=True)
        np.save(tmp_path / f"f/images/c{k}.npy", plain(k))
        for rater, one in masks.items():
            (tmp_path / f"f/masks/{rater}").mkdir(parents=True, exist_ok=True)
            np.save(tmp_path / f"f/masks/{rater}/c{k}.npy", one)
    with pytest.raises(DataError, match=r"votes in .* is no rater"):
        imported(tmp_path / "f")


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6])
def test_planes_that_divide_the_pixels_are_classes_and_no_raters(tmp_path, n):
    labels = np.arange(24 * 24).reshape(24, 24) % n
    one_hot = np.stack([labels == value for value in range(n)]).astype(np.uint8)
    folder = arrays(tmp_path / "f", lambda k: one_hot, image=plain)
    with pytest.raises(DataError, match="look like classes, not raters"):
        imported(folder)
    assert imported(folder, rater_axis="first").description.n_raters == n


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_grey_pictures_of_votes_are_refused_with_a_word(tmp_path, n):
    grey = np.rint(votes(n) * (255 / n)).astype(np.uint8)
    with pytest.raises(DataError, match="cannot tell which classes") as caught:
        imported(arrays(tmp_path / "f", lambda k: grey, image=plain))
    assert f"votes of {n} raters" in caught.value.hint
    assert "--threshold 128" in caught.value.hint
