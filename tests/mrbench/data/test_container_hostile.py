"""Files that are not, or no longer, what a container must be: each is refused with an error that names the file."""

import json
import zlib

import h5py
import numpy as np
import pytest

from mrbench.data.container import open_container, write_container
from mrbench.errors import DataError, IncompatibleError


@pytest.fixture
def path(tmp_path, rich_cases):
    write_container(tmp_path / "rich.h5", rich_cases)
    return tmp_path / "rich.h5"


@pytest.fixture
def ragged(tmp_path, make_cases):
    write_container(tmp_path / "ragged.h5", make_cases([(12, 10), (9, 14), (12, 10)]))
    return tmp_path / "ragged.h5"


def assert_refused(path, message, error=DataError):
    """Refused when it is opened, or when its cases are read, in both modes."""
    for mode in ("memory", "stream"):
        with pytest.raises(error, match=message) as caught:
            read_all(path, mode)
        assert str(path) in caught.value.what
        assert caught.value.hint


def read_all(path, mode):
    cases = open_container(path, mode)
    return [cases[index] for index in range(len(cases))]


def refusal_of(path):
    """What the error says, or nothing where all cases can be read."""
    try:
        read_all(path, "stream")
    except (DataError, IncompatibleError) as error:
        return error.what
    return ""


def replaced(path, member, values, **options):
    with h5py.File(path, "a") as file:
        del file[member]
        file.create_dataset(member, data=values, **options)


def declared(path, **changes):
    with h5py.File(path, "a") as file:
        file.attrs["description"] = np.bytes_(json.dumps(json.loads(file.attrs["description"]) | changes))


def test_an_absent_file(tmp_path):
    assert_refused(tmp_path / "none.h5", "is not there")


def test_a_folder(tmp_path):
    assert_refused(tmp_path, "is not there")


def test_an_empty_file(tmp_path):
    (tmp_path / "empty.h5").write_bytes(b"")
    assert_refused(tmp_path / "empty.h5", "is not a whole HDF5 file")


def test_text(tmp_path):
    (tmp_path / "text.h5").write_text("case,subject\n" * 1000)
    assert_refused(tmp_path / "text.h5", "is not a whole HDF5 file")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert_refused(path, "is not a whole HDF5 file")


def test_foreign_hdf5(tmp_path):
    with h5py.File(tmp_path / "foreign.h5", "w") as file:
        file["image"] = np.zeros((3, 1, 8, 8))
    assert_refused(tmp_path / "foreign.h5", "is not a container of mrbench")


def test_a_format_that_is_an_array(path):
    with h5py.File(path, "a") as file:
        file.attrs["format"] = np.zeros(7000)
    assert_refused(path, "has a wrong attribute 'format'")


def test_a_format_of_no_fixed_length(path):
    with h5py.File(path, "a") as file:
        file.attrs["format"] = "mrbench container"
    assert_refused(path, "has a wrong attribute 'format'")


def test_a_later_version(path):
    with h5py.File(path, "a") as file:
        file.attrs["format_version"] = 3
    assert_refused(path, "was written by a later version", IncompatibleError)


def test_a_version_that_is_not_a_number(path):
    with h5py.File(path, "a") as file:
        file.attrs["format_version"] = np.bytes_("one")
    assert_refused(path, "has an unknown format version")


@pytest.mark.parametrize("text", [" ", "{", "[]", "null", "7", "[" * 100_000, '{"name": "boxes"}'])
def test_declarations_that_are_not(path, text):
    with h5py.File(path, "a") as file:
        file.attrs["description"] = np.bytes_(text)
    assert_refused(path, "has wrong declarations")


@pytest.mark.parametrize(
    "changes",
    [
        {"classes": "abc"},
        {"classes": [1, 2]},
        {"raters": "many"},
        {"unit": None},
        {"normalisation": "log"},
        {"name": 3},
    ],
)
def test_declarations_of_a_wrong_type(path, changes):
    declared(path, **changes)
    assert_refused(path, "has wrong declarations")


def test_an_unknown_declaration(path):
    declared(path, colour="red")
    assert_refused(path, "has unknown declarations")


def test_one_class(path):
    declared(path, classes=["background"])
    assert_refused(path, "one class only")


def test_absurdly_many_classes(path):
    declared(path, classes=[f"class-{k}" for k in range(1000)])
    assert_refused(path, "declares too much")


def test_two_names(path):
    declared(path, name="spheres")
    assert_refused(path, "has two names")


def test_no_digest(path):
    with h5py.File(path, "a") as file:
        del file.attrs["digest"]
    assert_refused(path, "has no content digest")


@pytest.mark.parametrize("member", ["case", "subject", "present", "image", "mask", "split/strict/fold1/test"])
def test_a_missing_member(path, member):
    with h5py.File(path, "a") as file:
        del file[member]
    assert_refused(path, f"has no member /{member}")


def test_a_missing_case(ragged):
    with h5py.File(ragged, "a") as file:
        del file["pixels/2/mask"]
    assert_refused(ragged, "has no member /pixels/2/mask")


@pytest.mark.parametrize("member", ["case", "image", "present"])
def test_a_group_where_an_array_belongs(path, member):
    with h5py.File(path, "a") as file:
        del file[member]
        file.create_group(member)
    assert_refused(path, f"has a wrong member /{member}")


def test_an_array_where_a_group_belongs(path):
    with h5py.File(path, "a") as file:
        del file["attribute"]
        file["attribute"] = np.zeros(3)
    assert_refused(path, "has a wrong member /attribute")


def test_a_soft_link(path):
    with h5py.File(path, "a") as file:
        file["elsewhere"] = file["image"]
        del file["image"]
        file["image"] = h5py.SoftLink("/elsewhere")
    assert_refused(path, "has a link at /image")


def test_an_external_link(path, tmp_path):
    other = tmp_path / "other.h5"
    other.write_bytes(path.read_bytes())
    with h5py.File(path, "a") as file:
        del file["mask"]
        file["mask"] = h5py.ExternalLink(str(other), "/mask")
    assert_refused(path, "has a link at /mask")


def test_an_external_link_to_a_group(path, tmp_path):
    other = tmp_path / "other.h5"
    other.write_bytes(path.read_bytes())
    with h5py.File(path, "a") as file:
        del file["split"]
        file["split"] = h5py.ExternalLink(str(other), "/split")
    assert_refused(path, "has a link at /split")


def test_a_soft_link_to_a_case(ragged):
    with h5py.File(ragged, "a") as file:
        del file["pixels/1"]
        file["pixels/1"] = h5py.SoftLink("/pixels/0")
    assert_refused(ragged, "has a link at /pixels/1")


def test_external_storage(path, tmp_path):
    (tmp_path / "secret").write_bytes(bytes(18))
    with h5py.File(path, "a") as file:
        del file["present"]
        file.create_dataset("present", (6, 3), "u1", external=[(str(tmp_path / "secret"), 0, 18)])
    assert_refused(path, "keeps /present in other files")


def test_a_virtual_array(path, tmp_path):
    layout = h5py.VirtualLayout((6, 1, 12, 10), "u1")
    layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "image", (6, 1, 12, 10))
    with h5py.File(path, "a") as file:
        del file["image"]
        file.create_virtual_dataset("image", layout)
    assert_refused(path, "keeps /image in other files")


@pytest.mark.parametrize("dtype", ["f4", "c8", "S3", "?"])
def test_masks_of_a_wrong_type(path, dtype):
    replaced(path, "mask", np.zeros((6, 3, 12, 10), dtype), chunks=(1, 3, 12, 10))
    assert_refused(path, "has a wrong type in /mask")


def test_images_of_a_wrong_type(path):
    replaced(path, "image", np.zeros((6, 1, 12, 10), "c8"), chunks=(1, 1, 12, 10))
    assert_refused(path, "has a wrong type in /image")


@pytest.mark.parametrize("label", [2, 255, -1])
def test_a_label_outside_the_classes(path, label):
    masks = np.zeros((6, 3, 12, 10), "i2")
    masks[4, 0, 0, 0] = label
    replaced(path, "mask", masks, chunks=(1, 3, 12, 10))
    assert_refused(path, f"case 4 of .* has a label outside its classes\n.*\n.*{label}")


@pytest.mark.parametrize(
    ("member", "shape"),
    [
        ("image", (5, 1, 12, 10)),
        ("image", (6, 2, 12, 10)),
        ("image", (6, 12, 10)),
        ("mask", (6, 4, 12, 10)),
        ("present", (6, 2)),
        ("subject", (5,)),
        ("spacing", (6, 3)),
        ("slice", (6, 1)),
        ("attribute/margin", (6,)),
    ],
)
def test_a_wrong_shape(path, member, shape):
    with h5py.File(path) as file:
        dtype = file[member].dtype
    options = {"chunks": (1, *shape[1:])} if member in ("image", "mask") else {}
    replaced(path, member, np.ones(shape, dtype), **options)
    assert_refused(path, f"has a wrong shape in /{member}")


def test_masks_of_another_size_than_images(path):
    replaced(path, "mask", np.zeros((6, 3, 10, 12), "u1"), chunks=(1, 3, 10, 12))
    assert_refused(path, "has images and masks of different shapes")


def test_masks_of_another_size_in_one_case(ragged):
    replaced(ragged, "pixels/1/mask", np.zeros((3, 14, 9), "u1"), chunks=(3, 14, 9))
    assert_refused(ragged, "has images and masks of different shapes in /pixels/1/image")


def test_chunks_of_several_cases(path):
    replaced(path, "image", np.zeros((6, 1, 12, 10), "u1"), chunks=(6, 1, 12, 10))
    assert_refused(path, "has wrong chunks in /image")


def test_an_unknown_filter(path):
    replaced(path, "image", np.zeros((6, 1, 12, 10), "u1"), chunks=(1, 1, 12, 10), compression="lzf")
    assert_refused(path, "has wrong chunks in /image")


def test_no_cases(path):
    replaced(path, "case", np.zeros(0, "S4"))
    assert_refused(path, "declares a wrong number of cases")


def test_names_of_no_fixed_length(path):
    replaced(path, "case", ["a", "b", "c", "d", "e", "f"], dtype=h5py.string_dtype())
    assert_refused(path, "has a wrong type in /case")


def test_repeated_names(path):
    replaced(path, "case", np.array([b"a", b"b", b"c", b"d", b"e", b"a"]))
    assert_refused(path, "has empty or repeated names in /case")


def test_names_that_are_not_utf8(path):
    replaced(path, "subject", np.array([b"\xff"] * 6))
    assert_refused(path, "has names in /subject that are not UTF-8")


def test_endless_names(path):
    replaced(path, "subject", np.array([b"x" * 5000] * 6))
    assert_refused(path, "has too long names in /subject")


def test_presence_that_is_not_0_or_1(path):
    replaced(path, "present", np.full((6, 3), 2, "u1"))
    assert_refused(path, "has a wrong value in /present")


def test_a_case_without_raters(path):
    present = np.ones((6, 3), "u1")
    present[3] = 0
    replaced(path, "present", present)
    assert_refused(path, "case 'case-3' of data set 'boxes' has no rater")


@pytest.mark.parametrize("mm", [0.0, -1.0, np.inf])
def test_a_spacing_that_is_no_length(path, mm):
    replaced(path, "spacing", np.full((6, 2), mm))
    assert_refused(path, "has a wrong value in /spacing")


def test_a_spacing_known_on_one_axis(path):
    replaced(path, "spacing", np.array([[1.0, np.nan]] * 6))
    assert_refused(path, "has a wrong value in /spacing")


@pytest.mark.parametrize("index", [-1, 6, 2**62])
def test_a_fold_that_names_cases_outside(path, index):
    replaced(path, "split/strict/fold0/train", np.array([index]))
    assert_refused(path, "names cases outside the data set")


def test_folds_that_split_a_subject(path):
    replaced(path, "subject", np.array([b"the same"] * 6))
    assert_refused(path, "splits subject 'the same'")


@pytest.mark.parametrize(
    "indices",
    [np.array([0.0, 1.0]), np.array([b"0", b"1"]), np.array([[0], [1]]), np.array([True, False]), np.int64(0)],
    ids=["floats", "text", "two axes", "booleans", "a number"],
)
def test_a_fold_that_is_no_list_of_indices(path, indices):
    replaced(path, "split/strict/fold0/train", indices)
    assert_refused(path, "has a wrong (type|shape) in /split/strict/fold0/train")


def test_a_fold_of_texts_of_any_length(path):
    replaced(path, "split/strict/fold0/train", ["0", "x" * 10**6], dtype=h5py.string_dtype())
    assert_refused(path, "has a wrong type in /split/strict/fold0/train")


def test_a_fold_that_lists_a_case_twice(path):
    with h5py.File(path, "a") as file:
        train = file["split/strict/fold0/train"]
        train[1] = train[0]
    assert_refused(path, "lists a case twice")


def test_too_many_folds(path):
    with h5py.File(path, "a") as file:
        for number in range(2, 1002):
            file.create_group(f"split/strict/fold{number}")
    assert_refused(path, "has too many members in /split/strict")


def test_folds_with_a_gap(path):
    with h5py.File(path, "a") as file:
        file.move("split/strict/fold1", "split/strict/fold7")
    assert_refused(path, "has wrong folds in /split/strict")


def test_too_many_attributes(path):
    with h5py.File(path, "a") as file:
        for number in range(1001):
            file.create_group(f"attribute/a{number}")
    assert_refused(path, "has too many members in /attribute")


@pytest.mark.parametrize(
    "text", [b"{}", b"[", b"[" * 100_000, b"[{}]", b'[{"x": NaN},{},{},{},{},{}]', b"[1,2,3,4,5,6]"]
)
def test_metadata_that_are_not(path, text):
    replaced(path, "metadata", np.frombuffer(text, np.uint8))
    assert_refused(path, "has (wrong metadata|metadata that are not JSON)")


# --- sizes


def test_an_image_larger_than_the_file_can_hold(path):
    with h5py.File(path, "a") as file:
        del file["image"]
        file.create_dataset("image", (6, 1, 10**5, 10**5), "u1", chunks=(1, 1, 100, 100))
    assert_refused(path, "declares more than its size can hold, at /image")


def test_a_column_that_is_declared_but_not_stored(path):
    with h5py.File(path, "a") as file:
        del file["case"]
        file.create_dataset("case", (10**12,), "S8")
    assert_refused(path, "does not hold all of /case")


def test_a_column_that_is_compressed(path):
    replaced(path, "present", np.zeros((6, 3), "u1"), chunks=(6, 3), compression="gzip")
    assert_refused(path, "does not hold all of /present|packs /present in an unknown way")


def test_many_cases_that_share_one_array(ragged, monkeypatch):
    monkeypatch.setattr("mrbench.data.hdf5.FREE_BYTES", 0)
    monkeypatch.setattr("mrbench.data.hdf5.MAX_RATIO", 1)
    with h5py.File(ragged, "a") as file:
        big = file.create_dataset("big", (1, 500, 500), "u1", chunks=(1, 500, 500), compression="gzip")
        marks = file.create_dataset("marks", (3, 500, 500), "u1", chunks=(3, 500, 500), compression="gzip")
        for index in range(3):
            del file[f"pixels/{index}/image"], file[f"pixels/{index}/mask"]
            file[f"pixels/{index}/image"], file[f"pixels/{index}/mask"] = big, marks
    assert_refused(ragged, "declares more than its size can hold")


def test_a_chunk_that_inflates_beyond_its_size(path):
    with h5py.File(path, "a") as file:
        file["image"].id.write_direct_chunk((2, 0, 0, 0), zlib.compress(bytes(10**7)))
    assert_refused(path, "case 2 of .* has a damaged chunk")


def test_a_chunk_that_inflates_to_too_little(path):
    with h5py.File(path, "a") as file:
        file["mask"].id.write_direct_chunk((2, 0, 0, 0), zlib.compress(bytes(7)))
    assert_refused(path, "case 2 of .* has a damaged chunk")


def test_a_chunk_that_is_no_deflate_stream(path):
    with h5py.File(path, "a") as file:
        file["image"].id.write_direct_chunk((5, 0, 0, 0), b"no deflate stream")
    assert_refused(path, "case 5 of .* has a damaged chunk")


def test_a_chunk_far_larger_than_what_it_unpacks_to(path):
    with h5py.File(path, "a") as file:
        file["image"].id.write_direct_chunk((2, 0, 0, 0), zlib.compress(bytes(120)) + bytes(10**4))
    assert_refused(path, "case 2 of .* has a damaged chunk")


def test_a_chunk_that_was_never_written(path):
    with h5py.File(path, "a") as file:
        del file["image"]
        file.create_dataset("image", (6, 1, 12, 10), "u1", chunks=(1, 1, 12, 10), compression="gzip")
    assert_refused(path, "case 0 of .* has a damaged chunk")


def test_flipped_bytes_give_cases_or_an_error_that_names_the_file(path):
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(60):
        damaged = bytearray(content)
        for place in rng.integers(0, len(content), 20):
            damaged[place] = rng.integers(0, 256)
        path.write_bytes(damaged)
        assert refusal_of(path) == "" or str(path) in refusal_of(path)
