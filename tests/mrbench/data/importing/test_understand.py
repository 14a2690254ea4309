"""What is understood of the content of files, and what reaches the container."""

import os

import nibabel
import numpy as np
import pytest

from mrbench.data.container import open_container
from mrbench.data.description import Raters, Unit
from mrbench.data.importing.labels import Labels, understand_labels
from mrbench.data.importing.listing import list_files
from mrbench.data.importing.request import Request
from mrbench.data.importing.told import tell
from mrbench.data.importing.understand import understand
from mrbench.data.importing.write import write_import
from mrbench.errors import DataError, UsageError


def image(k):
    return np.arange(72, dtype=np.uint8).reshape(8, 9) + np.uint8(10 * k)


def mask(n, label=255):
    values = np.zeros(72, np.uint8)
    values[:n] = label
    return values.reshape(8, 9)


def understood(folder, **options):
    return understand(Request(folder=folder, name="mine", **options))


def imported(folder, **options):
    out = folder.parent / "mine.h5"
    write_import(understood(folder, **options), out)
    return open_container(out)


def lines(folder, **options):
    return [f"{title}: {text}" for title, text in tell(understood(folder, **options))]


def nifti(path, values, spacing=(1.0, 1.0, 1.0), flip=False):
    """A NIfTI file of (D, H, W) values; ``spacing`` along x, y, z in mm."""
    path.parent.mkdir(parents=True, exist_ok=True)
    affine = np.diag([*((-spacing[0] if flip else spacing[0]), *spacing[1:]), 1.0])
    made = nibabel.Nifti1Image(np.ascontiguousarray(values.T), affine)
    made.header.set_xyzt_units("mm")
    nibabel.save(made, path)


# --- what reaches the container


def test_every_pixel_and_mark_arrives(folder):
    cases = imported(folder)
    assert cases.ids == cases.subjects == ("c0", "c1", "c2", "c3")
    assert cases.present.all()
    for k in range(4):
        assert np.array_equal(cases.pixels.image(k), image(k)[None])
        assert np.array_equal(cases.pixels.masks(k), [mask(k + 1, 1), mask(k + 2, 1)])
    description = cases.description
    assert (description.name, description.classes) == ("mine", ("background", "foreground"))
    assert (description.channels, description.normalisation) == (("image",), "byte")
    assert (description.raters, description.rater_names) == (Raters.IDENTIFIED, ("ann", "bo"))
    assert cases.metadata[2] == {
        "image": "images/c2.png",
        "masks": {"ann": "masks/ann/c2.png", "bo": "masks/bo/c2.png"},
    }


def test_the_same_folder_gives_the_same_digest(folder, tmp_path):
    found = understood(folder)
    assert write_import(found, tmp_path / "a.h5") == write_import(understood(folder), tmp_path / "b.h5")


def test_a_missing_file_is_an_absent_rater_and_an_empty_mask_marked_nothing(folder, put):
    (folder / "masks/bo/c1.png").unlink()
    put("masks/ann/c2.png", mask(0))
    cases = imported(folder)
    assert cases.present.tolist() == [[True, True], [True, False], [True, True], [True, True]]
    assert not cases.pixels.masks(1)[1].any()
    assert not cases.pixels.masks(2)[0].any()
    told = lines(folder)
    assert "absent: bo in 1 case, which have no file: c1" in told
    assert "empty: 1 mask in which nothing is marked: ann 1" in told


def test_folds_are_by_subject_and_fewer_where_there_are_fewer(folder):
    split = imported(folder).splits["strict"]
    assert len(split.folds) == 4
    assert sorted(np.concatenate([fold.test for fold in split.folds]).tolist()) == [0, 1, 2, 3]
    assert "folds: 4, none of which splits a subject" in lines(folder)
    assert len(imported(folder, folds=2).splits["strict"].folds) == 2
    with pytest.raises(DataError, match="too few subjects for 9 folds") as caught:
        understood(folder, folds=9)
    assert caught.value.hint == "--folds 4 at most"


def test_subjects_come_from_names_that_say_slice(put, tmp_path):
    for p in range(3):
        for s in range(2):
            put(f"images/P{p}_slice{s:02d}.png", image(p))
            put(f"masks/ann/P{p}_slice{s:02d}.png", mask(3))
    cases = imported(tmp_path / "f")
    assert cases.subjects == ("P0", "P0", "P1", "P1", "P2", "P2")
    assert cases.slices == (0, 1, 0, 1, 0, 1)


def test_subjects_come_from_a_pattern_and_are_asked_after_where_names_look_alike(put, tmp_path):
    for p in "abc":
        for s in range(2):
            put(f"images/{p}_{s}.png", image(s))
            put(f"masks/ann/{p}_{s}.png", mask(3))
    assert "Are a_0 and a_1 of one patient? Then --subject-from PATTERN" in "".join(lines(tmp_path / "f"))
    cases = imported(tmp_path / "f", subject_from="{subject}_{slice}")
    assert cases.subjects == ("a", "a", "b", "b", "c", "c")
    with pytest.raises(UsageError, match="does not fit the case 'a_0'"):
        understood(tmp_path / "f", subject_from="{subject}-{slice}")
    with pytest.raises(UsageError, match=r"has no \{subject\}"):
        understood(tmp_path / "f", subject_from="{case}")


def test_raters_whose_names_do_not_recur_are_exchangeable(put, tmp_path):
    for k in range(4):
        put(f"images/c{k}.png", image(k))
        for r in range(2 if k else 1):
            put(f"masks/c{k}_reader{2 * k + r}.png", mask(k + r + 1))
    cases = imported(tmp_path / "f")
    assert cases.description.raters is Raters.EXCHANGEABLE
    assert cases.description.rater_names == ("mask-1", "mask-2")
    assert cases.present.tolist() == [[True, False], [True, True], [True, True], [True, True]]
    assert cases.pixels.masks(2)[1].sum() == 4
    assert imported(tmp_path / "f", raters=Raters.IDENTIFIED).description.n_raters == 7


def test_label_maps_keep_their_classes_in_order(folder, put):
    put("masks/ann/c0.png", mask(5, 50))
    put("masks/ann/c1.png", mask(5, 100))
    for k in range(4):
        put(f"masks/bo/c{k}.png", mask(5, 100) + mask(2, 0))
    put("masks/ann/c2.png", mask(5, 50))
    put("masks/ann/c3.png", mask(5, 50))
    cases = imported(folder, classes=("disc", "cup"))
    assert cases.description.classes == ("background", "disc", "cup")
    assert (cases.pixels.masks(0)[0].max(), cases.pixels.masks(1)[0].max()) == (1, 2)


def test_colours_become_three_channels(folder, put):
    for k in range(4):
        put(f"images/c{k}.png", np.stack([image(k), image(k) + 1, image(k) + 2], axis=-1))
    cases = imported(folder)
    assert cases.description.channels == ("red", "green", "blue")
    assert np.array_equal(cases.pixels.image(1), [image(1), image(1) + 1, image(1) + 2])


def test_sixteen_bits_stay_and_are_normalised_by_z_score(folder, put):
    for k in range(4):
        put(f"images/c{k}.png", image(k).astype(np.uint16) * 200)
    cases = imported(folder)
    assert np.array_equal(cases.pixels.image(1), image(1)[None].astype(np.uint16) * 200)
    assert cases.description.normalisation == "z-score"


def test_sizes_may_differ_and_training_loses_nothing(folder, put):
    put("images/c1.png", np.zeros((4, 20), np.uint8))
    for rater in ("ann", "bo"):
        put(f"masks/{rater}/c1.png", np.ones((4, 20), np.uint8) * 255)
    assert imported(folder).description.training_size == (8, 20)
    assert imported(folder, training_size=(6, 6)).description.training_size == (6, 6)


def test_volumes_with_spacing_from_nifti(tmp_path):
    for k in range(3):
        nifti(
            tmp_path / f"f/P{k}/image.nii.gz", np.random.default_rng(k).random((4, 5, 6), np.float32), (0.5, 0.6, 3.0)
        )
        nifti(tmp_path / f"f/P{k}/reader1.nii.gz", np.eye(5, 6, dtype=np.uint8)[None].repeat(4, 0), (0.5, 0.6, 3.0))
    cases = imported(tmp_path / "f")
    assert cases.description.unit is Unit.VOLUME
    assert cases[0].image.shape == (1, 4, 5, 6)
    assert np.allclose(cases.spacings[0], (3.0, 0.6, 0.5))
    assert np.array_equal(cases.pixels.masks(0)[0, 1], np.eye(5, 6))


def test_slices_of_depth_one_in_nifti_are_slices(tmp_path):
    for k in range(3):
        nifti(tmp_path / f"f/P{k}/image.nii", np.full((1, 5, 6), k, np.int16), (0.5, 0.6, 3.0))
        nifti(tmp_path / f"f/P{k}/reader1.nii", np.eye(5, 6, dtype=np.uint8)[None], (0.5, 0.6, 3.0))
    cases = imported(tmp_path / "f")
    assert cases.pixels.image(2).shape == (1, 5, 6)
    assert np.allclose(cases.spacings[0], (0.6, 0.5))


@pytest.mark.parametrize(
    ("change", "word"), [({"flip": True}, "has another place"), ({"spacing": (1, 1, 2)}, "has another spacing")]
)
def test_masks_on_another_grid_than_their_volume_are_refused(tmp_path, change, word):
    for k in range(3):
        nifti(tmp_path / f"f/P{k}/image.nii", np.ones((2, 5, 6), np.int16))
        nifti(tmp_path / f"f/P{k}/reader1.nii", np.ones((2, 5, 6), np.uint8), **(change if k == 2 else {}))
    with pytest.raises(DataError, match=rf"P2/reader1\.nii {word}"):
        understood(tmp_path / "f")


@pytest.mark.parametrize("ending", ["npy", "npz", "tif"])
def test_other_formats_give_the_same_masks(folder, put, ending):
    reference = imported(folder)
    for k in range(4):
        (folder / f"masks/bo/c{k}.png").unlink()
        put(f"masks/bo/c{k}.{ending}", mask(k + 2))
    assert np.array_equal(imported(folder).pixels.masks(3), reference.pixels.masks(3))


# --- one grid


def volumes(folder, image, mask, n=3):
    """``n`` cases of two raters, anisotropic and turned a little; ``image`` and ``mask`` change arrays and affines."""
    for k in range(n):
        rng = np.random.default_rng(k)
        values, affine = rng.integers(0, 900, (7, 6, 5)).astype(np.int16), oblique(0.1 * k)
        saved(folder / f"images/c{k}.nii.gz", *image(k, values, affine))
        for r, rater in enumerate(("ann", "bo")):
            marked = (values > 300 * (r + 1)).astype(np.uint8)
            saved(folder / f"masks/{rater}/c{k}.nii.gz", *mask(k, marked, affine))
    return folder


def oblique(angle):
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = turn @ np.diag([0.8, 0.9, 3.0]), (-10, 5, 30)
    return affine


def saved(path, values, affine):
    path.parent.mkdir(parents=True, exist_ok=True)
    made = nibabel.Nifti1Image(values, affine)
    made.header.set_xyzt_units("unknown" if affine is None else "mm")
    nibabel.save(made, path)


def turned(code):
    """Stores the same voxels with axes that run as a code says."""

    def change(k, values, affine):
        made = nibabel.Nifti1Image(values, affine)
        axes = nibabel.orientations.ornt_transform(
            nibabel.io_orientation(affine), nibabel.orientations.axcodes2ornt(code)
        )
        made = made.as_reoriented(axes)
        return np.asarray(made.dataobj), made.affine

    return change


def as_it_is(k, values, affine):
    return values, affine


CODES = ("LAS", "LPS", "RPI", "PIR", "SRA", "ALI")


@pytest.mark.parametrize("code", CODES)
def test_flips_and_permutations_of_a_set_have_one_digest(tmp_path, code):
    digests = set()
    for name, image, mask in (
        ("plain", as_it_is, as_it_is),
        ("all", turned(code), turned(code)),
        ("masks", as_it_is, turned(code)),
        ("some", lambda *a: turned(code)(*a) if a[0] % 2 else as_it_is(*a), as_it_is),
    ):
        found = understood(volumes(tmp_path / name, image, mask))
        digests.add(write_import(found, tmp_path / f"{name}.h5"))
    assert len(digests) == 1


def test_the_type_in_which_masks_are_stored_changes_no_digest(tmp_path):
    def as_floats(k, values, affine):
        return values.astype(np.float32), affine

    plain = understood(volumes(tmp_path / "a", as_it_is, as_it_is))
    floats = understood(volumes(tmp_path / "b", as_it_is, as_floats))
    assert write_import(plain, tmp_path / "a.h5") == write_import(floats, tmp_path / "b.h5")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (np.diag([1, 1, 1.1, 1]), "spacing"),
        (np.diag([1.5, 1, 1, 1]), "spacing"),
        (np.array([[1, 0, 0, 16], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]), "place"),
        (np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, -0.3], [0, 0, 0, 1]]), "place"),
        (np.diag([-1, 1, 1, 1]), "place"),
        (oblique(0.2) @ np.diag([1 / 0.8, 1 / 0.9, 1 / 3, 1]), "place"),
    ],
)
def test_masks_that_are_shifted_or_rescaled_are_refused_with_both_headers(tmp_path, change, word):
    def moved(k, values, affine):
        return values, (change @ affine if k == 2 else affine)

    with pytest.raises(DataError, match=rf"masks/ann/c2\.nii\.gz has another {word} than its image") as caught:
        understood(volumes(tmp_path / "f", as_it_is, moved))
    for text in (caught.value.expected, caught.value.found):
        assert "7 x 6 x 5 voxels of" in text


def test_headers_that_are_rounded_are_the_same(tmp_path):
    def rounded(k, values, affine):
        return values, np.round(affine, 3)

    understood(volumes(tmp_path / "f", as_it_is, rounded))


def test_the_affine_is_kept_outside_the_digest(tmp_path):
    cases = imported(volumes(tmp_path / "f", turned("LPS"), as_it_is))
    assert np.allclose(cases.metadata[1]["affine"], oblique(0.1), atol=1e-4)
    assert "axes: x, y, z run to LPS (3), kept as what is closest to RAS" in lines(tmp_path / "f")


@pytest.mark.parametrize("code", ["RAS", "LPS", "PIR"])
def test_masks_without_directions_lie_as_their_image_does_and_that_is_said(tmp_path, code):
    def unstated(k, values, affine):
        return turned(code)(k, values, affine)[0], None

    plain = imported(volumes(tmp_path / "plain", as_it_is, as_it_is))
    cases = imported(volumes(tmp_path / "f", turned(code), unstated))
    assert np.array_equal(cases.pixels.masks(1), plain.pixels.masks(1))
    said = "axes: 6 masks taken to lie as the image does, headers do not say: masks/ann/c0.nii.gz, "
    assert any(line.startswith(said) for line in lines(tmp_path / "f"))


@pytest.mark.parametrize("code", ["RAS", "LPS", "PIR"])
def test_an_image_whose_header_states_nothing_lies_as_its_masks_do(tmp_path, code):
    def bare(k, values, affine):
        return turned(code)(k, values, affine)[0], None

    plain = imported(volumes(tmp_path / "plain", as_it_is, as_it_is))
    cases = imported(volumes(tmp_path / "f", bare, turned(code)))
    assert np.array_equal(cases.pixels.image(1), plain.pixels.image(1))
    assert np.array_equal(cases.pixels.masks(1), plain.pixels.masks(1))
    assert np.allclose(cases.metadata[1]["affine"], oblique(0.1), atol=1e-4)


def test_the_identity_without_a_unit_is_believed_where_another_header_agrees(tmp_path):
    for k in range(3):
        values = np.random.default_rng(k).integers(0, 900, (7, 6, 5)).astype(np.int16)
        plain = nibabel.Nifti1Image(values, np.eye(4))
        for name, made in (
            ("images", plain),
            ("masks/ann", nibabel.Nifti1Image((values > 500).astype(np.uint8), np.eye(4))),
        ):
            (tmp_path / "f" / name).mkdir(parents=True, exist_ok=True)
            turn = nibabel.orientations.axcodes2ornt("LPS" if name == "masks/ann" else "RAS")
            nibabel.save(made.as_reoriented(turn), tmp_path / "f" / name / f"c{k}.nii")
    cases = imported(tmp_path / "f")
    assert np.array_equal(cases.pixels.masks(1)[0], cases.pixels.image(1)[0] > 500)
    assert "affine" not in cases.metadata[1]


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
@pytest.mark.parametrize("code", ["RAS", "LPI"])
def test_single_planes_are_slices_whichever_way_they_are_cut(tmp_path, plane, code):
    cut = [slice(None)] * 3
    cut[("sagittal", "coronal", "axial").index(plane)] = slice(2, 3)

    def one_plane(k, values, affine):
        return turned(code)(k, values[tuple(cut)], affine)

    cases = imported(volumes(tmp_path / "f", one_plane, one_plane))
    expected = np.random.default_rng(1).integers(0, 900, (7, 6, 5))[tuple(cut)].squeeze().T
    assert np.array_equal(cases.pixels.image(1)[0], expected)
    assert len(cases.spacings[1]) == 2


def test_channels_lie_along_the_third_or_fourth_axis_and_are_never_turned(tmp_path):
    for axes, name in (((7, 6, 3), "third"), ((7, 6, 1, 3), "fourth")):
        for k in range(3):
            values = np.arange(126, dtype=np.int16).reshape(7, 6, 3) + np.int16(k)
            saved(tmp_path / name / f"images/c{k}.nii", values.reshape(axes), np.diag([-1, -1, -1, 1]))
            saved(tmp_path / name / f"masks/ann/c{k}.nii", np.eye(7, 6, dtype=np.uint8), np.diag([-1, -1, -1, 1]))
    third, fourth = (imported(tmp_path / name) for name in ("third", "fourth"))
    assert np.array_equal(third.pixels.image(1), fourth.pixels.image(1))
    assert np.array_equal(third.pixels.image(1)[0, ::-1, ::-1].T, np.arange(126).reshape(7, 6, 3)[..., 0] + 1)


def test_integers_with_a_slope_are_labels(tmp_path):
    for name, top in (("three", 3), ("two", 2), ("seven", 7), ("one", 1), ("thirty", 30)):
        for k in range(3):
            saved(tmp_path / name / f"images/c{k}.nii.gz", np.ones((6, 5, 4), np.float32), oblique(0))
            labels = np.arange(120).reshape(6, 5, 4) % (top + 1)
            made = nibabel.Nifti1Image(labels.astype(np.float64), oblique(0))
            made.set_data_dtype(np.int16)  # for which nibabel chooses a slope
            (tmp_path / name / "masks/ann").mkdir(parents=True, exist_ok=True)
            nibabel.save(made, tmp_path / name / f"masks/ann/c{k}.nii.gz")
        assert np.array_equal(imported(tmp_path / name).pixels.masks(0)[0], labels.T)


# --- labels


@pytest.mark.parametrize(
    ("seen", "values", "also"),
    [
        ([(0, 1), (0,)], (0, 1), ()),
        ([(0, 255), (0,)], (0, 255), ()),
        ([(0, 7)], (0, 7), ()),
        ([(0, 1), (0, 255), (0, 65535)], (0, 1), (255, 65535)),
        ([(0, 1, 2), (0, 4)], (0, 1, 2, 4), ()),
        ([(0, 31, 7)], (0, 7, 31), ()),
        ([tuple(range(0, 31, 3))], tuple(range(0, 31, 3)), ()),
    ],
)
def test_values_and_their_classes(tmp_path, seen, values, also):
    found = understand_labels({"ann": set(seen)}, (), tmp_path)
    assert (found.values, found.also) == (values, also)
    assert found.classes_of(np.array([*values, *also])).tolist() == [*range(len(values)), *(1 for _ in also)]


def test_a_named_class_that_nobody_marked_keeps_its_place(tmp_path):
    assert understand_labels({"ann": {(0, 2)}}, ("a", "b"), tmp_path) == Labels((0, 1, 2), ("background", "a", "b"))


@pytest.mark.parametrize(
    ("seen", "names", "word"),
    [
        ([(0,)], (), "no mask in .* marks anything"),
        ([(1, 2)], (), "no mask in .* has background"),
        ([tuple(range(0, 100, 10))], (), "cannot tell which classes"),
        ([(0, 50, 255)], ("a",), "hold 2 values above 0, and 1 classes are named"),
        ([(0, 1)], ("background", "background"), "two classes have one name"),
    ],
)
def test_labels_that_nobody_can_tell(tmp_path, seen, names, word):
    with pytest.raises((DataError, UsageError), match=word):
        understand_labels({"ann": set(seen)}, names, tmp_path)


@pytest.mark.parametrize("void", [255, 65535])
@pytest.mark.parametrize("classes", [(0, 1), (0, 1, 2, 3)])
def test_a_value_that_means_not_judged_is_refused_with_what_to_do(tmp_path, void, classes):
    with pytest.raises(DataError, match=f"hold {void} beside classes, which is 'not judged'") as caught:
        understand_labels({"ann": {(*classes, void)}, "bo": {classes}}, (), tmp_path)
    assert caught.value.hint.startswith(f"mrbench data import {tmp_path} --void {void}, and these pixels count nowhere")
    assert f"--classes {','.join(['NAME'] * len(classes))}" in caught.value.hint
    assert f"bo values {', '.join(map(str, classes))}" in caught.value.found


def test_a_value_that_somebody_names_is_a_class(tmp_path):
    assert understand_labels({"ann": {(0, 1, 255)}}, ("a", "b"), tmp_path).values == (0, 1, 255)


@pytest.mark.parametrize("code", [(0, 127, 255), (0, 100, 200), (0, 64, 128), (0, 50, 51), (0, 32)])
def test_a_rater_with_values_of_his_own_is_named_with_them(tmp_path, code):
    with pytest.raises(DataError, match="cannot tell which classes") as caught:
        understand_labels({"ann": {(0, 1, 2)}, "bo": {code}}, (), tmp_path)
    assert caught.value.found == f"ann values 0, 1, 2; bo values {', '.join(map(str, code))}"
    assert "--labels 0=background,1=NAME,2=NAME" in caught.value.hint


# --- what is refused, and what is left alone


@pytest.mark.parametrize(
    ("name", "values", "word"),
    [
        ("masks/bo/c1.png", np.zeros((9, 8), np.uint8), "has another size than its image"),
        ("masks/bo/c1.png", np.arange(72, dtype=np.uint8).reshape(8, 9), "is no mask"),
        ("masks/bo/c1.png", np.arange(216, dtype=np.uint8).reshape(8, 9, 3), "is a mask in colours"),
        ("masks/bo/c1.npy", np.full((8, 9), 0.5), "is a mask with fractions"),
        ("masks/bo/c1.npy", np.full((8, 9), np.nan), "is a mask with values that are not finite"),
        ("masks/bo/c1.npy", np.full((8, 9), -1), "is a mask with impossible labels"),
        ("images/c1.png", np.zeros((8, 9, 3), np.uint8), "has 3 channels"),
        ("images/c1.npy", np.zeros((7, 9)), "has another size than its image"),
        ("masks/bo/c1.npy", np.zeros(72, np.uint8), "has another size than its image"),
        ("masks/bo/c1.npy", np.zeros((8, 9, 2), np.uint8), "has another size than its image"),
    ],
)
def test_content_that_does_not_fit_is_refused_by_name(folder, put, name, values, word):
    (folder / name).with_suffix(".png").unlink()
    put(name, values)
    with pytest.raises(DataError, match=word) as caught:
        understood(folder)
    assert name.partition(".")[0] in caught.value.message


@pytest.mark.parametrize("shape", [(72,), (2, 3, 4, 3)])
def test_what_is_neither_a_slice_nor_a_volume_is_refused(put, tmp_path, shape):
    for k in range(3):
        put(f"images/c{k}.npy", np.zeros(shape, np.uint8))
        put(f"masks/ann/c{k}.npy", np.ones(shape, np.uint8))
    with pytest.raises(DataError, match=r"c0\.npy is neither a slice nor a volume"):
        understood(tmp_path / "f")


def test_an_image_that_is_not_finite_leaves_no_container(folder, put, tmp_path):
    (folder / "images/c1.png").unlink()
    put("images/c1.npy", np.full((8, 9), np.inf, np.float32))
    with pytest.raises(DataError, match=r"c1\.npy is an image with values that are not finite"):
        imported(folder)
    assert not list(tmp_path.glob("*.h5"))


def test_hidden_files_and_those_of_systems_are_passed_over(folder):
    for name in (".DS_Store", "masks/ann/Thumbs.db", "masks/ann/._c1.png", ".git/x.png", "__MACOSX/c1.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"x")
    assert not [line for line in lines(folder) if line.startswith("not used")]


@pytest.mark.parametrize("name", ["readme.md", "c1.json", "masks/ann/c1.json", "dataset.yaml", "masks/notes", "x.db"])
def test_a_file_that_nothing_names_stops_nothing_and_is_told_in_one_line(folder, name, tmp_path):
    before = imported(folder).digest
    (folder / name).write_bytes(b"\0\xff odd")
    (folder / "link.txt").symlink_to(tmp_path / "elsewhere.txt")
    assert imported(folder).digest == before
    (told,) = [line for line in lines(folder) if line.startswith("not used")]
    assert told.startswith("not used: 2 files (no image file): ")
    assert name in told


def test_what_is_not_used_is_counted_and_named(folder, put):
    put("images/lonely.png", image(0))
    (folder / "notes.txt").write_text("x")
    told = lines(folder)
    assert "not used: 1 file (without a mask): images/lonely.png" in told
    assert "not used: 1 file (no image file): notes.txt" in told


def test_much_that_is_not_used_is_an_error_with_the_command_that_leaves_it_out(folder, put):
    for k in range(4):
        put(f"masks/cy/case-{k}.png", mask(3))
    with pytest.raises(DataError, match="cannot tell what 4 of the 16 files") as caught:
        understood(folder)
    assert "--image 'images/{case}.png' --mask 'masks/{rater}/{case}.png'" in caught.value.hint
    given = understood(folder, images=("images/{case}.png",), masks=("masks/{rater}/{case}.png",))
    assert len(given.layout.unused.unread) == 4


def test_links_that_lead_out_are_refused(folder, tmp_path):
    (folder / "images/c1.png").rename(tmp_path / "elsewhere.png")
    (folder / "images/c1.png").symlink_to(tmp_path / "elsewhere.png")
    with pytest.raises(DataError, match=r"c1\.png leads out of the folder"):
        understood(folder)
    (folder / "images/c1.png").unlink()
    (folder / "more").symlink_to(tmp_path)
    with pytest.raises(DataError, match="more leads out of the folder"):
        understood(folder)


def test_links_to_themselves_are_no_files_and_folders_nest_without_end(folder):
    expected = list_files(folder).images
    (folder / "loop.png").symlink_to("loop.png")
    nested = [folder.joinpath(*["d"] * depth) for depth in range(1, 1200)]
    for deep in nested:
        deep.mkdir()
    found = list_files(folder)
    for deep in reversed(nested):  # pytest could not
        deep.rmdir()
    assert (found.images, found.others) == (expected, ("loop.png",))


def test_names_that_are_not_utf8_are_refused(folder):
    try:
        os.rename(folder / "images/c1.png", os.fsencode(folder / "images") + b"/c\xff.png")  # noqa: PTH104
    except OSError:
        pytest.skip("this file system takes UTF-8 alone")
    with pytest.raises(DataError, match=r"c\\udcff\.png has a name that is not UTF-8"):
        understood(folder)


# --- what is told of the masks


def test_shares_areas_and_overlap_are_told(folder):
    told = lines(folder)
    assert "shares: background 95.83%, foreground 4.17%" in told
    assert "marked: on average ann 3.47%, bo 4.86%" in told
    assert "overlap: Dice with the others: ann 0.83, bo 0.83" in told
    assert "overlap: Dice 0.83 of the masks of a case" in lines(folder, raters=Raters.EXCHANGEABLE)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda values: values[::-1, ::-1],
            "look at: ann lies 7 rows above, 6 columns left of bo: moved back",
        ),
        (lambda values: 255 - values, "look at: bo marks what the others leave free"),
    ],
)
def test_a_rater_who_looks_like_a_mistake_is_named(folder, put, change, words):
    for k in range(4):
        put(f"masks/bo/c{k}.png", change(mask(k + 2)))
    assert any(line.startswith(words) for line in lines(folder))


# --- tables


def table(folder, text, name="t.csv"):
    (folder / name).write_text(text)
    return folder / name


def test_a_table_names_the_files(folder):
    rows = [f"masks/{r}/c{k}.png,k{k},x,{r},images/c{k}.png,P{k}" for k in range(4) for r in ("ann", "bo")]
    rows[3] = ",k1,x,bo,images/c1.png,P1"
    path = table(folder, "\n".join(["Mask,case,note,rater,image,subject", *rows]))
    cases = imported(folder, table=path)
    assert (cases.ids, cases.subjects) == (("k0", "k1", "k2", "k3"), ("P0", "P1", "P2", "P3"))
    assert cases.present.tolist() == [[True, True], [True, False], [True, True], [True, True]]
    assert "not used: 1 file (neither a case's image nor a mask of one): masks/bo/c1.png" in lines(folder, table=path)


HEAD = "case,rater,image,mask\n"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("case;rater\n", "lacks columns"),
        (HEAD + "k,ann,../out.png,masks/ann/c1.png\n", "row 2 of .* names a file outside the folder"),
        (HEAD + "k,ann,/etc/passwd,masks/ann/c1.png\n", "names a file outside the folder"),
        (HEAD + "k,ann,images/c9.png,masks/ann/c1.png\n", "names no image file"),
        (HEAD + "k,ann,images/c1.png,t.csv\n", "names no image file"),
        (HEAD + "k,ann,images/\0.png,masks/ann/c1.png\n", "a path without NUL"),
        (HEAD + "k,,images/c1.png,masks/ann/c1.png\n", "has a mask and no rater"),
        (HEAD + ",ann,images/c1.png,masks/ann/c1.png\n", "has no case or no image"),
        (HEAD + "k,a,images/c1.png,masks/ann/c1.png\nk,a,images/c1.png,masks/bo/c1.png\n", "row 3 .* a second mask"),
        (
            HEAD + "k,a,images/c1.png,masks/ann/c1.png\nk,b,images/c2.png,masks/bo/c1.png\n",
            "disagrees with another row",
        ),
        (HEAD + "k,a\n", "is no table"),
        (HEAD + "k,a,images/c1.png,\n", "names no mask"),
        (HEAD + "9" * 5000 + ",a,images/c1.png,masks/ann/c1.png\n", "has too long an entry"),
    ],
)
def test_tables_that_cannot_be_used(folder, text, word):
    with pytest.raises(DataError, match=word):
        understood(folder, table=table(folder, text))


@pytest.mark.parametrize("slash", ["\\", "/", "//", "\\\\"])
def test_a_table_that_windows_wrote_is_read(folder, slash):
    rows = [slash.join(("images", f"c{k}.png,masks", "ann", f"c{k}.png")) for k in range(4)]
    text = "\r\n".join(["image,mask,case,rater", *(f"{row},k{k},ann" for k, row in enumerate(rows))])
    assert imported(folder, table=table(folder, text)).metadata[3]["masks"] == {"ann": "masks/ann/c3.png"}


def test_a_backslash_leads_out_of_the_folder_no_more_than_a_slash(folder, tmp_path):
    (folder / "images/c1.png").rename(tmp_path / "elsewhere.png")
    path = table(folder, HEAD + "k,ann,..\\elsewhere.png,masks\\ann\\c0.png\n")
    with pytest.raises(DataError, match="outside the folder"):
        understood(folder, table=path)


def test_a_table_leads_through_no_link(folder, tmp_path):
    (folder / "images/c1.png").rename(tmp_path / "elsewhere.png")
    (folder / "sub").mkdir()
    path = table(folder, HEAD + "k,ann,../elsewhere.png,masks/ann/c0.png\n")
    with pytest.raises(DataError, match="outside the folder"):
        understood(folder, table=path)


def test_two_colours_that_differ_between_masks_name_no_class(folder, put):
    for rater, colour in (("ann", (255, 0, 0)), ("bo", (0, 255, 0))):
        for k in range(4):
            put(f"masks/{rater}/c{k}.png", np.array([(0, 0, 0), colour], np.uint8)[mask(3, 1)])
    with pytest.raises(DataError, match=r"c0\.png marks in another colour than .*ann/c0\.png") as caught:
        understood(folder)
    assert (caught.value.expected, caught.value.found) == ("#ff0000", "#00ff00")
