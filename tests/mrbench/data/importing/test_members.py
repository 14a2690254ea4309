"""HDF5 files of other people's layouts, whose content is known."""

import h5py
import numpy as np
import pytest

from mrbench.data.container import open_container
from mrbench.data.importing.request import Request
from mrbench.data.importing.understand import understand
from mrbench.data.importing.write import write_import
from mrbench.errors import DataError, UsageError

N, RATERS = 5, 3
IMAGES = np.random.default_rng(0).integers(0, 255, (N, 9, 8), np.uint8)
# Boxes that grow with the case and the rater.
MASKS = np.zeros((N, RATERS, 9, 8), np.uint8)
for k in range(N):
    for r in range(RATERS):
        MASKS[k, r, 1 : 3 + k, 1 : 3 + r] = 1


def stacked(file):
    file["images"], file["masks"] = IMAGES, MASKS


def raters_last(file):
    file["image"], file["label"] = IMAGES, np.moveaxis(MASKS, 1, -1)


def an_array_per_rater(file):
    file["images"] = IMAGES
    for r, name in enumerate(("ann", "bo", "cay")):
        file[f"masks/{name}"] = MASKS[:, r]


def a_group_per_case(file):
    for k in range(N):
        file[f"case{k}/image"] = IMAGES[k]
        for r in range(RATERS):
            file[f"case{k}/rater{r + 1}"] = MASKS[k, r]


def packed(file):
    for name, values in (("images", IMAGES), ("masks", MASKS > 0)):
        file.create_dataset(name, data=values, chunks=(2, *values.shape[1:]), compression="gzip", shuffle=True)


def in_a_group(file):
    file["data/scan"], file["data/segmentations"] = IMAGES, MASKS


def parts_of_a_collection(file):
    for part, rows in (("train", slice(0, 3)), ("test", slice(3, 5))):
        file[f"{part}/images"], file[f"{part}/masks"] = IMAGES[rows], MASKS[rows]


LAYOUTS = (stacked, raters_last, a_group_per_case, packed, in_a_group)


def made(tmp_path, write):
    with h5py.File(tmp_path / "theirs.h5", "w") as file:
        write(file)
    return tmp_path / "theirs.h5"


def imported(path, **options):
    found = understand(Request(folder=path, name="theirs", **options))
    write_import(found, path.parent / "out.h5")
    return open_container(path.parent / "out.h5")


@pytest.mark.parametrize("write", LAYOUTS)
def test_every_pixel_and_mark_arrives_from_any_layout(tmp_path, write):
    cases = imported(made(tmp_path, write))
    assert len(cases) == N
    assert cases.description.n_raters == RATERS
    for k in range(N):
        np.testing.assert_array_equal(cases.pixels.image(k)[0], IMAGES[k])
        np.testing.assert_array_equal(cases.pixels.masks(k), MASKS[k])


def test_arrays_of_raters_beside_each_other_keep_their_names(tmp_path):
    def write(file):
        file["images"] = IMAGES
        for r, name in enumerate(("ann", "bo", "cay")):
            file[f"masks_{name}"] = MASKS[:, r]

    cases = imported(made(tmp_path, write), images=("images/{case}",), masks=("masks_{rater}/{case}",))
    assert cases.description.rater_names == ("ann", "bo", "cay")
    np.testing.assert_array_equal(cases.pixels.masks(2), MASKS[2])
    cases = imported(made(tmp_path, an_array_per_rater))
    assert cases.description.rater_names == ("ann", "bo", "cay")
    np.testing.assert_array_equal(cases.pixels.masks(3), MASKS[3])


def test_parts_of_a_collection_are_one_set(tmp_path):
    cases = imported(made(tmp_path, parts_of_a_collection))
    assert cases.ids == ("test/0", "test/1", "train/0", "train/1", "train/2")
    np.testing.assert_array_equal(cases.pixels.masks(1), MASKS[4])


def test_names_of_stacked_raters_are_taken(tmp_path):
    cases = imported(made(tmp_path, stacked), rater_names=("ann", "bo", "cay"))
    assert cases.description.rater_names == ("ann", "bo", "cay")


@pytest.mark.parametrize("whose", [np.array([3, 3, 1, 2, 1]), np.array([b"p3", b"p3", b"p1", b"p2", b"p1"])])
def test_an_array_of_patients_says_whose_the_cases_are(tmp_path, whose):
    def write(file):
        stacked(file)
        file["patient_id"] = whose

    cases = imported(made(tmp_path, write))
    assert len(set(cases.subjects)) == 3
    found = {tuple(sorted(cases.subjects[k] for k in fold.test)) for fold in cases.splits["strict"].folds}
    assert len({name for names in found for name in set(names)}) == 3


def test_patients_are_not_mistaken_for_cases_where_their_numbers_are_those_of_cases(tmp_path):
    def write(file):
        stacked(file)
        file["patient_id"] = np.array([0, 0, 1, 2, 4])

    path = made(tmp_path, write)
    assert imported(path).subjects == ("subject-0", "subject-0", "subject-1", "subject-2", "subject-4")
    assert understand(Request(folder=path, name="theirs")).layout.unused.others == ()


@pytest.mark.parametrize("name", ["theirs", "other"])
def test_a_container_of_mrbench_is_refused_with_the_command_that_opens_it(tmp_path, name):
    imported(made(tmp_path, stacked))
    path = (tmp_path / "out.h5").rename(tmp_path / f"{name}.h5")
    with pytest.raises(UsageError, match="is a container of mrbench already: the data set 'theirs'") as caught:
        understand(Request(folder=path, name="x"))
    assert "mrbench data verify theirs" in caught.value.hint
    assert ("as theirs.h5" in caught.value.hint) == (name == "other")


@pytest.mark.parametrize(
    ("write", "word"),
    [
        (lambda file: None, "holds no images"),
        (lambda file: file.__setitem__("x", np.zeros(5)), "holds no images"),
        (lambda file: file.__setitem__("images", IMAGES), "holds no images"),
        (lambda file: (file.__setitem__("images", IMAGES), file.__setitem__("masks", MASKS[:4])), "holds no images"),
        (lambda file: (file.__setitem__("a", IMAGES), file.__setitem__("b", IMAGES)), "cannot see how the files in"),
        (lambda file: (file.__setitem__("images", IMAGES), file.__setitem__("masks", IMAGES / 255.0)), "fractions"),
    ],
)
def test_a_file_in_which_nothing_can_be_seen_says_what_it_holds(tmp_path, write, word):
    with pytest.raises(DataError, match=word):
        understand(Request(folder=made(tmp_path, write), name="x"))


def test_links_out_of_the_file_are_not_followed(tmp_path):
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["masks"] = MASKS

    def write(file):
        file["images"] = IMAGES
        file["masks"] = h5py.ExternalLink("secret.h5", "masks")

    with pytest.raises(DataError, match="holds no images"):
        understand(Request(folder=made(tmp_path, write), name="x"))


@pytest.mark.parametrize("content", [b"", b"no hdf5", b"\x89HDF\r\n\x1a\n" + bytes(50)])
def test_what_is_no_hdf5_file_is_refused(tmp_path, content):
    (tmp_path / "a.h5").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.h5 is not a whole HDF5 file"):
        understand(Request(folder=tmp_path / "a.h5", name="x"))
