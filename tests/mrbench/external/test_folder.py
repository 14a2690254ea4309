"""Folders of PNG and NIfTI files: how names are read, what values and grids mean, and what is refused."""

import gzip
import io
import os
import sys
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from mrbench.data.description import Description, Raters
from mrbench.data.geometry import Geometry
from mrbench.data.mask_rules import read_rules
from mrbench.errors import DataError, MrbenchError, UsageError
from mrbench.external.coverage import tell_left_alone
from mrbench.external.folder import FolderSource
from mrbench.external.grid import Grid
from mrbench.external.images import nifti_bytes, png_bytes, read_nifti, read_png
from mrbench.external.pattern import Pattern
from mrbench.external.stems import read_stems, stems_of, write_stems
from mrbench.interfaces.draw import DrawKind

NAMES = ("ann", "Dr. Bo/b", "ann-2")
DESCRIPTION = Description(
    name="d", version="1", classes=("no", "yes"), channels=("c",), raters=Raters.IDENTIFIED, rater_names=NAMES
)


def png(values: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(values).save(file, format="PNG")
    return file.getvalue()


def put(folder: Path, name: str, content: bytes = b"") -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content or png(np.zeros((2, 3), np.uint8)))


# --- names


@pytest.mark.parametrize(
    ("pattern", "name", "found"),
    [
        ("{case}/sample-{sample}.png", "a b/sample-007.png", ("a b", DrawKind.SAMPLE, 7, "")),
        ("{case}_{sample}.nii.gz", "p_1_12.nii.gz", ("p_1", DrawKind.SAMPLE, 12, "")),
        ("{case}/rater-{rater}.png", "c/rater-Dr.%20Bo%2Fb.png", ("c", DrawKind.RATER, 0, "Dr.%20Bo%2Fb")),
        ("{case}-{rater}.png", "c-ann-2.png", ("c", DrawKind.RATER, 0, "ann-2")),
        ("{rater}/{case}.png", "2/c.png", ("c", DrawKind.RATER, 0, "2")),
        ("{case}/rater-{rater}-draw-{draw}.png", "c/rater-ann-draw-3.png", ("c", DrawKind.RATER, 3, "ann")),
        ("{case}/{case}-s{sample}.png", "c/c-s1.png", ("c", DrawKind.SAMPLE, 1, "")),
        ("{case}.png", "c.png", ("c", DrawKind.CONSENSUS, 0, "")),
        ("{case}.png", "c/d.png", None),
        ("{case}/{case}-s{sample}.png", "c/d-s1.png", None),
        ("{case}/rater-{rater}.png", "c/rater-cay.png", None),
        ("{case}/sample-{sample}.png", "c/sample-x.png", None),
        ("{case}+.png", "cc.png", None),
    ],
)
def test_a_pattern_reads_names(pattern: str, name: str, found: tuple | None):
    match = Pattern(pattern, NAMES).match(name)
    assert found == (match and (match.case, match.kind, match.number, match.rater))


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("sample-{sample}.png", "{case}"),
        ("{case}/{subject}.png", "{case} with {sample}"),
        ("{case}/{sample}-{rater}.png", "{case} with {sample}"),
        ("{case}/sample-{sample}.jpg", ".png, .nii, .nii.gz"),
        ("/data/{case}.png", "within the folder"),
        ("../{case}.png", "within the folder"),
        ("{case}\\{sample}.png", "within the folder"),
    ],
)
def test_a_wrong_pattern_is_a_usage_error_with_an_example(pattern: str, words: str):
    with pytest.raises(UsageError) as caught:
        Pattern(pattern, NAMES)
    assert words in caught.value.message
    assert "{case}/sample-{sample}.png" in caught.value.hint


def test_the_names_that_export_writes_need_no_pattern(tmp_path: Path):
    for name in (
        "sample-000",
        "sample-001",
        "rater-ann",
        "rater-Dr.%20Bo%2Fb",
        "rater-ann-2",
        "consensus",
        "truth-ann",
    ):
        put(tmp_path, f"c/{name}.png")
    source = FolderSource(tmp_path, (), DESCRIPTION)
    form = source.form("c")
    assert (form.samples, form.raters, form.consensus) == (2, (0, 1, 2), True)
    assert source.cases([]) == ["c"]
    assert source.unmatched == ["c/truth-ann.png"]
    draws = list(source.draws("c", Grid((2, 3))))
    assert [(draw.kind.value, draw.rater) for draw in draws] == [
        ("sample", None), ("sample", None), ("rater", 0), ("rater", 1), ("rater", 2), ("consensus", None),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["readme.txt", "c/truth-ann.png", "c/meta.json", "overview.jpg", "c/sample-x.nii"])
def test_odd_files_stop_nothing_and_are_told_of_in_one_line(tmp_path: Path, name: str):
    put(tmp_path, "c/consensus.png")
    for odd in (name, ".DS_Store", "c/._consensus.png", "c/Thumbs.db"):
        put(tmp_path, odd, b"\0odd")
    source = FolderSource(tmp_path, (), DESCRIPTION)
    assert source.cases([]) == ["c"]
    assert tell_left_alone(tmp_path, source.left_alone()) == [
        f"{tmp_path}: 1 file fits no pattern, left alone: '{name}'"
    ]


def test_several_draws_of_a_rater_keep_their_order(tmp_path: Path):
    for number in (10, 9):
        put(tmp_path, f"c/rater-ann-draw-{number}.png", png(np.full((2, 3), number - 9, np.uint8)))
    draws = list(FolderSource(tmp_path, (), DESCRIPTION).draws("c", Grid((2, 3))))
    assert [draw.probability[1].max() for draw in draws] == [0, 1]


def test_numbers_are_columns_where_not_all_of_them_are_names(tmp_path: Path):
    numbered = replace(DESCRIPTION, rater_names=("1", "2", "3"))
    for name in ("1", "2", "3"):
        put(tmp_path, f"c/rater-{name}.png")
    assert FolderSource(tmp_path, (), numbered).form("c").raters == (0, 1, 2)
    (tmp_path / "c" / "rater-3.png").rename(tmp_path / "c" / "rater-0.png")
    assert FolderSource(tmp_path, (), numbered).form("c").raters == (0, 1, 2)
    put(tmp_path, "c/rater-3.png")
    with pytest.raises(DataError, match="raters that the data set does not have"):
        FolderSource(tmp_path, (), numbered)


def test_a_table_of_cases_says_which_folder_is_which_case(tmp_path: Path):
    cases = ["a/b:c", "a_b_c", "A_B_C", "con", "..", "x" * 200, ""]
    stems = stems_of(cases)
    assert len({stem.lower() for stem in stems.values()}) == len(cases)
    assert all(stem and "/" not in stem and stem.strip(".") and len(stem) < 90 for stem in stems.values())
    assert stems["a_b_c"] == "a_b_c-2"
    write_stems(tmp_path, stems)
    assert read_stems(tmp_path) == {stem: case for case, stem in stems.items()}
    put(tmp_path, f"{stems['a/b:c']}/consensus.png")
    assert FolderSource(tmp_path, (), DESCRIPTION).cases([]) == ["a/b:c"]


@pytest.mark.parametrize(
    "text",
    ["", "stem,id\na,b\n", "file,case\na\n", "file,case\na,b\na,c\n", "file,case\na,b\nc,b\n", 'file,case\n"a,b'],
)
def test_a_wrong_table_of_cases_is_refused(tmp_path: Path, text: str):
    (tmp_path / "cases.csv").write_text(text)
    with pytest.raises(DataError, match=r"cases\.csv"):
        read_stems(tmp_path)


def test_a_wrong_table_of_cases_shows_the_row(tmp_path: Path):
    (tmp_path / "cases.csv").write_text("file,case\na,b\n\n" + "\n" * 1000)
    with pytest.raises(DataError, match=r"cases\.csv is no table of cases") as caught:
        read_stems(tmp_path)
    assert (caught.value.expected, caught.value.found) == ("the columns file,case, one row per case", "row 3: ''")


def test_a_table_of_cases_out_of_the_folder_is_refused(tmp_path: Path):
    put(tmp_path, "masks/c/consensus.png")
    (tmp_path / "cases.csv").write_text("file,case\nc,d\n")
    (tmp_path / "masks" / "cases.csv").symlink_to(tmp_path / "cases.csv")
    with pytest.raises(DataError, match=r"cases\.csv is no file of"):
        FolderSource(tmp_path / "masks", (), DESCRIPTION)


def test_names_of_files_cannot_steer_a_terminal(tmp_path: Path):
    put(tmp_path, "\x1b[2J/sample-1.png")
    put(tmp_path, "\x1b[2J/sample-01.png")
    with pytest.raises(DataError) as caught:
        FolderSource(tmp_path, (), DESCRIPTION)
    assert r"\x1b[2J/sample-1.png is the same prediction as" in caught.value.message
    assert "\x1b" not in caught.value.message


def test_two_files_for_one_prediction_are_refused(tmp_path: Path):
    put(tmp_path, "c/sample-1.png")
    put(tmp_path, "c/sample-01.png")
    with pytest.raises(DataError, match="the same prediction"):
        FolderSource(tmp_path, (), DESCRIPTION)


def test_a_folder_where_nothing_fits_shows_the_names_and_the_patterns(tmp_path: Path):
    put(tmp_path, "one/pred_1.png")
    with pytest.raises(DataError, match="no file in") as caught:
        FolderSource(tmp_path, (), DESCRIPTION)
    for word in ("one/pred_1.png", "{case}/sample-{sample}, ", "with .png, .nii, .nii.gz", "--pattern"):
        assert word in caught.value.message
    put(tmp_path, "a.npz")
    with pytest.raises(DataError, match="no file in") as caught:
        FolderSource(tmp_path, ("{case}.png",), DESCRIPTION)
    assert caught.value.expected == "{case}.png"
    assert caught.value.hint == f"--predictions {tmp_path}/a.npz"


def test_links_out_of_the_folder_are_refused_and_linked_folders_are_not_entered(tmp_path: Path):
    put(tmp_path, "elsewhere/consensus.png")
    put(tmp_path, "masks/c/consensus.png")
    (tmp_path / "masks" / "d").symlink_to(tmp_path / "elsewhere")
    assert FolderSource(tmp_path / "masks", (), DESCRIPTION).cases([]) == ["c"]
    (tmp_path / "masks" / "c" / "sample-0.png").symlink_to(tmp_path / "elsewhere" / "consensus.png")
    with pytest.raises(DataError, match=r"sample-0\.png is no file of"):
        FolderSource(tmp_path / "masks", (), DESCRIPTION)


def test_what_is_no_file_is_refused(tmp_path: Path):
    put(tmp_path, "c/consensus.png")
    os.mkfifo(tmp_path / "c" / "sample-0.png")
    with pytest.raises(DataError, match="is no file of"):
        FolderSource(tmp_path, (), DESCRIPTION)


def test_a_file_that_changes_between_its_digest_and_its_reading_is_refused(tmp_path: Path):
    put(tmp_path, "c/consensus.png")
    source = FolderSource(tmp_path, (), DESCRIPTION)
    before = source.digest()
    put(tmp_path, "c/consensus.png", png(np.ones((2, 3), np.uint8)))
    with pytest.raises(DataError, match="changed while it was read"):
        list(source.draws("c", Grid((2, 3))))
    assert FolderSource(tmp_path, (), DESCRIPTION).digest() != before
    (tmp_path / "c" / "consensus.png").unlink()
    with pytest.raises(DataError, match="changed while it was read"):
        list(source.draws("c", Grid((2, 3))))


# --- PNG


def test_png_labels_are_read_in_every_mode():
    labels = np.array([[0, 1, 2], [2, 1, 0]], np.uint8)
    palette = Image.fromarray(labels, mode=None).convert("P")
    palette.putdata(labels.reshape(-1).tolist())
    file = io.BytesIO()
    palette.save(file, format="PNG")
    for content in (png(labels), file.getvalue(), png_bytes(labels, 3)):
        np.testing.assert_array_equal(read_png(content, Grid((2, 3)), 3, "f"), labels)
    binary = labels > 0
    for content in (
        png(binary),
        png(binary.astype(np.uint8)),
        png(binary * np.uint8(255)),
        png_bytes(binary * np.uint8(1), 2),
    ):
        np.testing.assert_array_equal(read_png(content, Grid((2, 3)), 2, "f"), binary)


@pytest.mark.parametrize(
    "stored",
    [
        lambda m: np.stack([m * np.uint8(255)] * 3, axis=-1),
        lambda m: np.stack([m] * 3, axis=-1),
        lambda m: np.dstack([*[m * np.uint8(255)] * 3, np.full_like(m, 255)]),
        lambda m: np.array([[0, 0, 0], [200, 30, 0]], np.uint8)[m],
        lambda m: np.array([[90, 90, 250], [255, 255, 0]], np.uint8)[m],
        lambda m: np.dstack([m * np.uint8(255), np.full_like(m, 255)]),
    ],
)
def test_masks_in_colours_are_read_as_an_import_reads_them(stored):
    marked = np.array([[0, 1, 1], [1, 0, 0]], np.uint8)
    np.testing.assert_array_equal(read_png(png(stored(marked)), Grid((2, 3)), 2, "f"), marked)


def test_16_bits_are_probabilities_of_the_foreground():
    values = np.array([[0, 65535, 32768]], np.uint16)
    found = read_png(png(values), Grid((1, 3)), 2, "f")
    np.testing.assert_array_equal(found, values.astype(np.float32) / np.float32(65535))
    assert found.dtype == np.float32


@pytest.mark.parametrize(
    ("values", "classes", "words"),
    [
        (np.array([[0, 128]], np.uint8), 2, "probabilities need 16 bits"),
        (np.array([[0, 255]], np.uint8), 3, "from 0 to 2"),
        (np.array([[0, 1]], np.uint16), 2, "looks like labels"),
        (np.array([[0, 9]], np.uint16), 3, "8-bit labels below 3"),
        (np.arange(6, dtype=np.uint8).reshape(1, 2, 3), 3, "two colours"),
        (np.arange(9, dtype=np.uint8).reshape(1, 3, 3), 2, "another grid"),
        (np.zeros((2, 1), np.uint8), 2, "another grid"),
        (np.zeros((9000, 9000), np.uint8), 2, "another grid"),
    ],
)
def test_png_values_that_are_ambiguous_are_refused(values: np.ndarray, classes: int, words: str):
    with pytest.raises(DataError) as caught:
        read_png(png(values), Grid((1, 2)), classes, "the file")
    assert words in caught.value.message
    assert "the file" in caught.value.what


@pytest.mark.parametrize(
    "content", [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a" + bytes(30), png(np.zeros((90, 90), np.uint8))[:60]]
)
def test_what_is_no_png_is_refused(content: bytes):
    with pytest.raises(DataError, match="is not a whole PNG"):
        read_png(content, Grid((90, 90)), 2, "f")


def test_a_png_of_a_volume_is_refused_with_the_remedy():
    with pytest.raises(UsageError) as caught:
        read_png(png(np.zeros((2, 3), np.uint8)), Grid((1, 2, 3)), 2, "f")
    assert "NIfTI" in caught.value.hint


# --- NIfTI


def nifti(values: np.ndarray, affine=None, *, header=None, kind=nibabel.Nifti1Image) -> bytes:
    return kind(values, np.eye(4) if affine is None else affine, header).to_bytes()


VOLUME = np.random.default_rng(0).integers(0, 2, (3, 5, 4)).astype(np.uint8)  # (D, H, W)


def test_axes_of_nifti_are_last_axis_first(tmp_path: Path):
    image = nibabel.Nifti1Image.from_bytes(gzip.decompress(nifti_bytes(VOLUME, Grid((3, 5, 4), (3.0, 0.5, 0.75)))))
    assert image.shape == (4, 5, 3), "x = W, y = H, z = D"
    assert np.asarray(image.dataobj)[1, 2, 0] == VOLUME[0, 2, 1]
    np.testing.assert_array_equal(np.diag(image.affine), [0.75, 0.5, 3.0, 1.0])
    assert image.header.get_xyzt_units()[0] == "mm"
    np.testing.assert_array_equal(read_nifti(image.to_bytes(), Grid((3, 5, 4), (3.0, 0.5, 0.75)), 2, "f"), VOLUME)
    assert nifti_bytes(VOLUME, Grid((3, 5, 4))) == nifti_bytes(VOLUME, Grid((3, 5, 4)))


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("dtype", ["u1", ">i2", "<i4", "f4", ">f8"])
def test_nifti_of_every_type_gives_the_values(kind, dtype: str):
    content = nifti(np.ascontiguousarray(VOLUME.T).astype(dtype), kind=kind)
    for packed in (content, gzip.compress(content, mtime=0)):
        np.testing.assert_array_equal(read_nifti(packed, Grid((3, 5, 4)), 2, "f"), VOLUME)


def test_a_slice_may_have_a_third_axis_of_one():
    for shape in ((4, 5), (4, 5, 1)):
        content = nifti(np.ascontiguousarray(VOLUME[0].T).reshape(shape))
        np.testing.assert_array_equal(read_nifti(content, Grid((5, 4)), 2, "f"), VOLUME[0])
    with pytest.raises(DataError, match="is a volume"):
        read_nifti(nifti(np.ascontiguousarray(VOLUME.T)), Grid((5, 4)), 2, "f")


def test_classes_lie_along_the_fourth_axis():
    values = np.random.default_rng(0).random((3, 3, 5, 4)).astype(np.float32)  # (K, D, H, W)
    found = read_nifti(nifti(np.ascontiguousarray(values.T)), Grid((3, 5, 4)), 3, "f")
    np.testing.assert_array_equal(found, values)
    flat = read_nifti(nifti(np.ascontiguousarray(values[:, :1].T)), Grid((5, 4)), 3, "f")
    np.testing.assert_array_equal(flat, values[:, 0])


def test_floats_without_classes_are_labels_where_they_can_be_nothing_else():
    content = nifti(np.ascontiguousarray((VOLUME * 2).T).astype(np.float32))
    found = read_nifti(content, Grid((3, 5, 4)), 3, "f")
    assert found.dtype.kind == "u"
    np.testing.assert_array_equal(found, VOLUME * 2)
    with pytest.raises(DataError, match="without an axis of classes"):
        read_nifti(nifti(np.full((4, 5, 3), 0.5, np.float32)), Grid((3, 5, 4)), 3, "f")


def test_a_slope_makes_probabilities_of_integers():
    image = nibabel.Nifti1Image(np.ascontiguousarray(VOLUME.T) * 255.0, np.eye(4))
    image.header.set_data_dtype(np.uint8)
    image.header.set_slope_inter(1 / 255, 0)
    content = bytearray(nibabel.Nifti1Image(np.ascontiguousarray(VOLUME.T) * np.uint8(255), np.eye(4)).to_bytes())
    content[112:116] = np.float32(1 / 255).tobytes()  # scl_slope
    found = read_nifti(bytes(content), Grid((3, 5, 4)), 2, "f")
    assert found.dtype.kind == "f"
    np.testing.assert_allclose(found, VOLUME, atol=1e-6)


@pytest.mark.parametrize(
    ("affine", "unit", "fits"),
    [
        (np.diag([0.75, 0.5, 3, 1]), "mm", True),
        (np.diag([-0.75, -0.5, 3, 1]), "unknown", True),
        (np.diag([750, 500, 3000, 1]), "micron", True),
        (np.eye(4), "unknown", True),
        (np.eye(4), "mm", False),
        (np.diag([0.5, 0.75, 3, 1]), "mm", False),
        (np.diag([3, 0.5, 0.75, 1]), "unknown", False),
    ],
)
def test_the_spacing_must_be_that_of_the_case_where_both_are_known(affine: np.ndarray, unit: str, fits: bool):
    image = nibabel.Nifti1Image(np.ascontiguousarray(VOLUME.T), affine)
    image.header.set_xyzt_units(unit)
    content = image.to_bytes()
    assert read_nifti(content, Grid((3, 5, 4)), 2, "f").shape == (3, 5, 4)
    if fits:
        read_nifti(content, Grid((3, 5, 4), (3.0, 0.5, 0.75)), 2, "f")
        return
    with pytest.raises(DataError, match="another spacing") as caught:
        read_nifti(content, Grid((3, 5, 4), (3.0, 0.5, 0.75)), 2, "f")
    assert "0.75 x 0.5 x 3 mm" in caught.value.expected


def turned(code: str, affine: np.ndarray, unit: str = "mm") -> bytes:
    """The volume stored with axes that run as a code says."""
    image = nibabel.Nifti1Image(np.ascontiguousarray(VOLUME.T), affine)
    start, end = nibabel.io_orientation(affine), nibabel.orientations.axcodes2ornt(code)
    image = image.as_reoriented(nibabel.orientations.ornt_transform(start, end))
    image.header.set_xyzt_units(unit)
    return image.to_bytes()


AFFINE = np.diag([0.75, 0.5, 3.0, 1.0])
AFFINE[:3, 3] = (-10, 5, 30)
KNOWN = Grid((3, 5, 4), (3.0, 0.5, 0.75), Geometry(AFFINE, (4, 5, 3)))


@pytest.mark.parametrize("code", ["RAS", "LAS", "LPS", "RPI", "PIR", "SAL"])
def test_masks_stored_with_other_axes_are_the_same_masks(code: str):
    np.testing.assert_array_equal(read_nifti(turned(code, AFFINE), KNOWN, 2, "f"), VOLUME)
    exported = Grid((3, 5, 4), (3.0, 0.5, 0.75))
    own = nibabel.Nifti1Image.from_bytes(gzip.decompress(nifti_bytes(VOLUME, exported))).affine
    np.testing.assert_array_equal(read_nifti(turned(code, own), exported, 2, "f"), VOLUME)


def test_probabilities_of_classes_turn_with_their_axes():
    values = np.random.default_rng(0).random((3, 3, 5, 4)).astype(np.float32)
    flipped = AFFINE @ np.diag([-1, 1, 1, 1])
    flipped[:3, 3] = AFFINE[:3, 3] + 3 * AFFINE[:3, 0]
    np.testing.assert_array_equal(
        read_nifti(nifti(np.ascontiguousarray(values[..., ::-1].T), flipped), KNOWN, 3, "f"), values
    )


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (np.array([[1, 0, 0, 16], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]), "place"),
        (np.array([[1, 0, 0, 0], [0, 1, 0, -0.5], [0, 0, 1, 0], [0, 0, 0, 1]]), "place"),
        (np.diag([-1, 1, 1, 1]), "place"),
        (np.diag([1, 1, 0.9, 1]), "spacing"),
        (np.diag([2, 2, 2, 1]), "spacing"),
    ],
)
def test_masks_that_lie_elsewhere_are_refused_with_both_headers(change: np.ndarray, word: str):
    with pytest.raises(DataError, match=f"f has another {word} than its case") as caught:
        read_nifti(turned("RAS", change @ AFFINE), KNOWN, 2, "f")
    assert caught.value.expected == "axes RAS, 4 x 5 x 3 voxels of 0.75 x 0.5 x 3 mm, the first at (-10, 5, 30) mm"
    assert "4 x 5 x 3 voxels of" in caught.value.found


@pytest.mark.parametrize("affine", [None, np.eye(4)])
def test_a_header_that_states_nothing_is_taken_as_it_lies(affine: np.ndarray | None):
    image = nibabel.Nifti1Image(np.ascontiguousarray(VOLUME.T), affine)
    np.testing.assert_array_equal(read_nifti(image.to_bytes(), KNOWN, 2, "f"), VOLUME)


def test_what_is_exported_lies_where_its_case_does():
    image = nibabel.Nifti1Image.from_bytes(gzip.decompress(nifti_bytes(VOLUME, KNOWN)))
    np.testing.assert_array_equal(image.affine, AFFINE)
    np.testing.assert_array_equal(read_nifti(image.to_bytes(), KNOWN, 2, "f"), VOLUME)


def damaged(place: int, value: bytes) -> bytes:
    content = bytearray(nifti(np.ascontiguousarray(VOLUME.T)))
    content[place : place + len(value)] = value
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a NIfTI"),
        (b"\x5c\x01\x00\x00", "not a NIfTI"),
        (b"text" * 200, "not a NIfTI"),
        (gzip.compress(nifti(np.ascontiguousarray(VOLUME.T)), mtime=0)[:-20], "not a whole"),
        (nifti(np.ascontiguousarray(VOLUME.T))[:-1], "cut short"),
        (damaged(42, np.array([4000, 4000, 4000], "<i2").tobytes()), "another grid"),
        (damaged(70, np.array([32], "<i2").tobytes()), "wrong type"),
        (damaged(70, np.array([77], "<i2").tobytes()), "not a whole"),
        (damaged(108, np.array([1e9], "<f4").tobytes()), "damaged header"),
        (damaged(108, np.array([np.nan], "<f4").tobytes()), "damaged header"),
        (damaged(344, b"ni1\0"), "damaged header"),
        (damaged(123, bytes([7])), "not a whole"),
    ],
)
def test_damaged_nifti_is_refused_before_memory_is_taken(content: bytes, words: str):
    with pytest.raises(MrbenchError, match=words):
        read_nifti(content, Grid((3, 5, 4), (3.0, 0.5, 0.75)), 2, "f")


def test_a_gzip_bomb_unpacks_to_its_case_and_no_further():
    import tracemalloc

    content = gzip.compress(nifti(np.ascontiguousarray(VOLUME.T)) + bytes(10**8))
    tracemalloc.start()
    np.testing.assert_array_equal(read_nifti(content, Grid((3, 5, 4)), 2, "f"), VOLUME)
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("module", "call", "hint"),
    [
        ("nibabel", lambda: nifti_bytes(VOLUME, Grid((3, 5, 4))), "pip install 'mrbench[nifti]'"),
        ("PIL", lambda: png_bytes(VOLUME[0], 2), "pip install 'mrbench[pictures]'"),
    ],
)
def test_a_package_that_is_not_there_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch, module: str, call, hint):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UsageError) as caught:
        call()
    assert caught.value.hint == hint


# --- what is said of values


@pytest.mark.parametrize(
    ("values", "labels", "threshold", "invert", "expected"),
    [
        ([[0, 100, 200]], (), 128, False, [[0, 0, 1]]),
        ([[0, 100, 200]], (), 128, True, [[1, 1, 0]]),
        ([[0, 0, 77]], (), None, True, [[1, 1, 0]]),
        ([[0, 127, 255]], ("127=yes,255=no",), None, False, [[0, 1, 0]]),
        ([[3, 4, 5]], ("3=0,4=1,5=yes",), None, False, [[0, 1, 1]]),
        ([[[0, 0, 0], [255, 0, 0], [0, 255, 0]]], ("#ff0000=yes,#00ff00=no",), None, False, [[0, 1, 0]]),
    ],
)
def test_predictions_are_read_by_what_is_said_of_their_values(tmp_path, values, labels, threshold, invert, expected):
    rules = read_rules(labels, threshold, invert, DESCRIPTION.classes)
    put(tmp_path, "c/consensus.png", png(np.array(values, np.uint8)))
    source = FolderSource(tmp_path, (), DESCRIPTION, rules)
    (draw,) = source.draws("c", Grid((1, 3)))
    assert draw.probability[1].tolist() == expected
    assert source.digest() != FolderSource(tmp_path, (), DESCRIPTION).digest()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
def test_a_threshold_cuts_nifti_predictions_too(dtype):
    image = nibabel.Nifti1Image(np.array([[1, 5], [7, 2], [9, 5]], dtype), np.eye(4))
    found = read_nifti(image.to_bytes(), Grid((2, 3)), 2, "f", read_rules((), 5, False))
    assert found.tolist() == [[0, 1, 1], [1, 0, 1]]


def test_a_class_that_the_data_set_lacks_is_refused_in_a_map():
    with pytest.raises(UsageError, match="names the class 'maybe'"):
        read_rules(("7=maybe",), None, False, DESCRIPTION.classes)


def test_labels_that_fit_no_class_advise_to_say_what_they_mean():
    with pytest.raises(DataError, match="f holds no labels") as caught:
        read_png(png(np.array([[0, 7]], np.uint8)), Grid((1, 2)), 2, "f")
    for option in ("--labels", "--threshold", "--invert"):
        assert option in caught.value.hint
