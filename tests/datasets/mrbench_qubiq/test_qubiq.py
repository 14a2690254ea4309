import gzip
import subprocess
import sys

import nibabel
import numpy as np
import pytest

from mrbench.data.checks import check_cases
from mrbench.data.container import open_container
from mrbench.data.description import Raters, Unit
from mrbench.errors import DataAbsentError, DataError
from mrbench_qubiq import dataset
from mrbench_qubiq.config import QubiqConfig
from mrbench_qubiq.listing import list_cases
from mrbench_qubiq.prepare import prepare
from mrbench_qubiq.tasks import TASKS


def write_nifti(path, values, spacing=(0.5, 0.25)):
    """``values`` by (x, y, ...), as NIfTI stores them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(values, np.diag([*spacing, 1.0, 1.0]))
    image.header.set_xyzt_units("mm")
    nibabel.save(image, path)
    return path


def write_case(folder, *, task=1, raters=3, size=(20, 12), channels=1, seed=0, suffix=".nii.gz"):
    """A case of the challenge; rater r's mask has 4 columns (x) and 3 + r rows (y)."""
    rng = np.random.default_rng(seed)
    shape = size if channels == 1 else (*size, channels)
    write_nifti(folder / f"image{suffix}", rng.normal(100, 20, shape).astype(np.float32))
    for r in range(1, raters + 1):
        mask = np.zeros(size, np.uint8)
        mask[5:9, 2 : 5 + r] = 1
        write_nifti(folder / f"task{task:02}_seg{r:02}{suffix}", mask)


def write_collection(source, name, training, validation, **case):
    for part, count in (("Training", training), ("Validation", validation)):
        for n in range(1, count + 1):
            write_case(source / name / part / f"case{n:02}", seed=n + 100 * (part == "Validation"), **case)


KIDNEY = QubiqConfig(task="kidney", folds=3)
PARTIAL = QubiqConfig(task="kidney", folds=3, partial=True)


@pytest.fixture(scope="module")
def kidneys(tmp_path_factory):
    """The whole collection, in small."""
    source = tmp_path_factory.mktemp("qubiq")
    write_collection(source, "kidney", 20, 4)
    return source


@pytest.fixture
def few(tmp_path):
    """Three training and one validation case."""
    write_collection(tmp_path / "qubiq", "kidney", 3, 1)
    return tmp_path / "qubiq"


def load(source, folder, config):
    prepare(source, folder, config)
    return dataset.load(config, folder)


def test_the_plugin_is_light():
    code = (
        "import sys, mrbench_qubiq; mrbench_qubiq.mrbench_datasets(); assert not {'numpy', 'h5py'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_absent_data_say_how_to_get_and_prepare_them(tmp_path):
    with pytest.raises(DataAbsentError, match="task 'prostate-2' of data set 'qubiq' is not prepared") as caught:
        dataset.load(QubiqConfig(task="prostate-2"), tmp_path)
    assert "QUBIQ challenge" in caught.value.expected
    assert "mrbench data prepare qubiq --source FOLDER --set task=prostate-2" in caught.value.hint


def test_slices_with_their_raters_as_released(kidneys, tmp_path):
    cases = load(kidneys, tmp_path, KIDNEY)
    assert (len(cases), cases.ids[0], cases.ids[-1]) == (24, "Training-case01", "Validation-case04")
    assert cases.subjects == cases.ids
    assert cases.description.raters is Raters.IDENTIFIED
    assert cases.description.unit is Unit.SLICE
    assert cases.description.training_size is None
    assert (cases[0].image.shape, cases[0].masks.shape) == ((1, 12, 20), (3, 12, 20))
    assert cases[0].spacing == (0.25, 0.5), "rows run along y"
    assert check_cases(cases) == []


def test_rows_run_along_the_second_axis_of_a_file(kidneys, tmp_path):
    case = load(kidneys, tmp_path, KIDNEY)[0]
    rows, columns = np.nonzero(case.masks[1])
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (2, 6, 5, 8)
    stored = np.asarray(nibabel.load(kidneys / "kidney" / "Training" / "case01" / "image.nii.gz").dataobj)
    standardised = (stored.T - stored.mean()) / stored.std()
    np.testing.assert_allclose(case.image[0], standardised, atol=1e-4)


def test_the_challenges_division_is_a_split_and_strict_crosses_all_cases(kidneys, tmp_path):
    cases = load(kidneys, tmp_path, KIDNEY)
    (fold,) = cases.splits["training-validation"].folds
    assert [cases.ids[i] for i in fold.test] == [f"Validation-case{n:02}" for n in range(1, 5)]
    assert (len(fold.train), len(fold.validation)) == (17, 3)
    assert all(cases.ids[i].startswith("Training-") for i in (*fold.train, *fold.validation))
    tested = np.concatenate([fold.test for fold in cases.splits["strict"].folds])
    assert sorted(tested.tolist()) == list(range(24))


@pytest.mark.parametrize("shape", ["last", "first", "fourth"])
def test_four_channels_along_whatever_axis(tmp_path, shape):
    source = tmp_path / "qubiq"
    write_collection(source, "brain-tumor", 3, 1, task=2, channels=4)
    path = source / "brain-tumor" / "Training" / "case01" / "image.nii.gz"
    values = np.random.default_rng(0).normal(size=(20, 12, 4)).astype(np.float32)
    stored = {"last": values, "first": np.moveaxis(values, -1, 0), "fourth": values[:, :, None]}[shape]
    write_nifti(path, stored, (1.0, 0.5) if shape == "first" else (0.5, 0.25))
    config = QubiqConfig(task="brain-tumor-2", folds=3, partial=True)
    cases = load(source, tmp_path, config)
    np.testing.assert_array_equal(cases.pixels.image(0), values.transpose(2, 1, 0))
    assert cases.description.channels == ("MR-1", "MR-2", "MR-3", "MR-4")
    assert cases[0].spacing == ((1.0, 0.5) if shape == "first" else (0.25, 0.5))


@pytest.mark.parametrize("turn", [(-1, 1), (1, -1), (-1, -1)])
def test_a_mask_that_runs_the_other_way_is_the_same_mask_and_one_that_is_moved_is_refused(few, tmp_path, turn):
    before = load(few, tmp_path, PARTIAL).digest
    path = few / "kidney" / "Training" / "case02" / "task01_seg02.nii.gz"
    stored = nibabel.load(path)
    x, y = turn
    affine = stored.affine @ np.diag([x, y, 1, 1])
    affine[:2, 3] = [0.5 * 19 * (x < 0), 0.25 * 11 * (y < 0)]
    values = np.asarray(stored.dataobj)[::x, ::y]
    nibabel.save(nibabel.Nifti1Image(values, affine, stored.header), path)
    assert load(few, tmp_path, PARTIAL).digest == before
    affine[0, 3] += 2
    nibabel.save(nibabel.Nifti1Image(values, affine, stored.header), path)
    with pytest.raises(DataError, match=r"task01_seg02\.nii\.gz has another place than its image"):
        prepare(few, tmp_path, PARTIAL)


def test_slices_of_different_sizes_train_at_the_largest(few, tmp_path):
    write_case(few / "kidney" / "Training" / "case04", size=(16, 18))
    cases = load(few, tmp_path, PARTIAL)
    assert cases.description.training_size == (18, 20)
    assert [cases[i].image.shape for i in (0, 3)] == [(1, 12, 20), (1, 18, 16)]


def test_each_task_has_its_own_masks_and_container(few, tmp_path):
    for n in (1, 2, 3):
        for task in (1, 2):
            write_case(few / "prostate" / "Training" / f"case{n:02}", task=task, raters=6)
            write_case(few / "prostate" / "Validation" / f"case{n:02}", task=task, raters=6)
    write_nifti(few / "prostate" / "Training" / "case01" / "task02_seg03.nii.gz", np.zeros((20, 12), np.uint8))
    sums = []
    for task in ("prostate-1", "prostate-2"):
        cases = load(few, tmp_path, QubiqConfig(task=task, folds=3, partial=True))
        sums.append(int(cases[0].masks[2].sum()))
    assert sums == [24, 0]
    assert sorted(path.name for path in tmp_path.glob("*.h5")) == ["qubiq-prostate-1.h5", "qubiq-prostate-2.h5"]


def test_who_a_number_is_can_be_chosen_without_preparing_again(kidneys, tmp_path):
    same = load(kidneys, tmp_path, KIDNEY)
    other = dataset.load(replace_config(KIDNEY, raters="exchangeable"), tmp_path)
    assert other.description.raters is Raters.EXCHANGEABLE
    assert other.digest != same.digest == same.compute_digest()


def replace_config(config, **changes):
    return config.model_copy(update=changes)


def test_a_mask_that_is_not_there_is_an_absent_rater_only_in_part(few, tmp_path):
    (few / "kidney" / "Training" / "case02" / "task01_seg02.nii.gz").unlink()
    cases = load(few, tmp_path, PARTIAL)
    assert cases.present.tolist() == [[True] * 3, [True, False, True], [True] * 3, [True] * 3]
    assert not cases[1].masks[1].any()


def test_an_empty_mask_is_a_rater_who_marked_nothing(few, tmp_path):
    write_nifti(few / "kidney" / "Training" / "case02" / "task01_seg02.nii.gz", np.zeros((20, 12), np.uint8))
    assert load(few, tmp_path, PARTIAL).present.all()


def test_one_mask_of_the_whole_prostate_collection_is_not_there(tmp_path):
    write_collection(tmp_path, "prostate", 48, 7, raters=6)
    masks = [tmp_path / "prostate" / "Training" / f"case{n:02}" / "task01_seg06.nii.gz" for n in (7, 9)]
    config, task = QubiqConfig(task="prostate-1"), TASKS["prostate-1"]
    masks[0].unlink()
    assert [case.id for case in list_cases(tmp_path, task, config) if None in case.masks] == ["Training-case07"]
    masks[1].unlink()
    with pytest.raises(DataError, match=r"case07 lacks a mask\n.*the collection lacks 1 in all\n.*2 masks"):
        list_cases(tmp_path, task, config)


def test_a_partial_collection_is_another_data_set(few, tmp_path):
    assert load(few, tmp_path, PARTIAL).description.name == "qubiq-kidney-partial"
    with pytest.raises(DataError, match="holds another data set") as caught:
        dataset.load(KIDNEY, tmp_path)
    assert "partial=true" in caught.value.found


# --- hostile sources


def assert_refused(source, tmp_path, message, config=PARTIAL):
    with pytest.raises(DataError, match=message) as caught:
        prepare(source, tmp_path, config)
    assert not list(tmp_path.glob("*.h5*"))
    return caught.value


def test_other_counts_are_refused(few, tmp_path):
    error = assert_refused(few, tmp_path, "collection 'kidney' of data set 'qubiq' is not complete", KIDNEY)
    assert (error.expected, error.found) == ("24 cases in Training and Validation", "4")
    assert "partial=true" in error.hint


@pytest.mark.parametrize("part", ["kidney", "kidney/Training", "kidney/Validation"])
def test_a_missing_folder(few, tmp_path, part):
    (few / part).rename(few / "elsewhere")
    assert_refused(few, tmp_path, "does not hold the challenge's files")


def test_a_link_out_of_the_folder(few, tmp_path):
    path = few / "kidney" / "Training" / "case03" / "task01_seg02.nii.gz"
    path.rename(tmp_path / "outside")
    path.symlink_to(tmp_path / "outside")
    assert_refused(few, tmp_path, "task01_seg02.nii.gz is a link to outside of its folder")


def test_a_missing_image_mask_or_both_spellings_of_a_mask(few, tmp_path):
    case = few / "kidney" / "Training" / "case03"
    (case / "image.nii.gz").rename(case / "other.nii.gz")
    assert_refused(few, tmp_path, "case03 has no image")
    (case / "other.nii.gz").rename(case / "image.nii")
    (case / "task01_seg01.nii").write_bytes(b"")
    assert_refused(few, tmp_path, "two masks of one rater")
    for path in case.glob("task*"):
        path.unlink()
    assert_refused(few, tmp_path, "case03 has no mask")
    write_case(case, raters=4)
    assert_refused(few, tmp_path, "of an unknown rater\n.*raters 1 to 3\n.*4")


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("image", np.full((20, 12), np.nan, np.float32), "not finite"),
        ("image", np.zeros((1, 1), np.float32), r"than its image .*\n.*1 x 1\n"),
        ("image", np.zeros((20, 12, 3), np.float32), r"is no slice\n.*\(x, y\)\n.*\(20, 12, 3\)"),
        ("task01_seg02", np.zeros((12, 20), np.uint8), r"than its image .*\n.*20 x 12 x 1 .*\n.*12 x 20 x 1"),
        ("task01_seg02", np.full((20, 12), 2, np.uint8), "wrong labels"),
        ("task01_seg02", np.full((20, 12), 0.5, np.float32), "is a mask with fractions"),
        ("task01_seg02", np.full((20, 12), np.nan, np.float32), "is a mask with values that are not finite"),
        ("task01_seg02", np.zeros((20, 12), np.complex64), "wrong type"),
    ],
)
def test_a_file_that_holds_something_else(few, tmp_path, name, values, message):
    write_nifti(few / "kidney" / "Training" / "case02" / f"{name}.nii.gz", values)
    error = assert_refused(few, tmp_path, message)
    assert "case02" in error.what
    assert "task01" in error.what if name == "image" and values.shape == (1, 1) else name in error.what


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"text", "is not a NIfTI file"), (b"", "is not a NIfTI file"), (b"\x1f\x8btext", "is not a whole NIfTI file")],
)
def test_a_file_that_is_no_nifti(few, tmp_path, content, message):
    (few / "kidney" / "Training" / "case02" / "image.nii.gz").write_bytes(content)
    assert_refused(few, tmp_path, f"image.nii.gz {message}")


def test_absurd_axes_take_no_memory(few, tmp_path):
    path = few / "kidney" / "Training" / "case02" / "image.nii.gz"
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[42:46] = np.array([32000, 32000], "<i2").tobytes()
    path.write_bytes(gzip.compress(bytes(content)))
    assert_refused(few, tmp_path, "declares more than its size can hold")


def test_a_truncated_file(few, tmp_path):
    path = few / "kidney" / "Validation" / "case01" / "task01_seg03.nii.gz"
    path.write_bytes(path.read_bytes()[:-12])
    assert_refused(few, tmp_path, "task01_seg03.nii.gz is not a whole NIfTI file")


def test_too_few_cases_for_the_folds(few, tmp_path):
    assert_refused(few, tmp_path, "cannot split 4 subjects into 5 folds", replace_config(PARTIAL, folds=5))


# --- as a user


def test_from_the_files_to_a_table(mrbench, few, tmp_path):
    settings = ("--set", "task=kidney", "--set", "partial=true", "--set", "folds=3")
    result = mrbench("data", "prepare", "qubiq", "--source", few, *settings)
    assert result.exit_code == 0, result.output
    assert result.output.endswith("qubiq-kidney.h5: 4 cases of task 'kidney', 3 raters\n")
    assert mrbench("data", "verify", "qubiq", *settings).exit_code == 0
    assert len(open_container(tmp_path / "data" / "qubiq-kidney.h5")) == 4
    options = [word for s in settings[1::2] for word in ("--set", f"qubiq.{s}")]
    run = mrbench("run", "--dataset", "qubiq", "--split", "training-validation", "--method", "staple", *options)
    assert run.exit_code == 0, run.output
    assert "3 identified raters" in run.output
