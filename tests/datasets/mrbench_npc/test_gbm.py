import json

import h5py
import numpy as np
import pytest

from mrbench.data.checks import check_cases
from mrbench.data.description import Raters, Unit
from mrbench.engine.slices import slices_of
from mrbench.errors import DataAbsentError, DataError
from mrbench_npc.gbm import dataset
from mrbench_npc.gbm.config import GbmConfig
from mrbench_npc.gbm.prepare import prepare

CONFIG = GbmConfig(folds=2)


def write_case(path, *, shape=(2, 32, 32), seed=0, named="label", **changes):
    """A file of one annotator; ``changes`` replace arrays, None leaves one out."""
    rng = np.random.default_rng(seed)
    mask = np.zeros(shape, np.uint8)
    mask[:, 10:22, 8:20] = 1
    arrays = {name: (rng.normal(0, 1, shape) + 3 * mask).astype(np.float32) for name in ("t1", "t1c", "t2")}
    arrays |= {named: mask, "voxel_spacing": np.array([5.0, 1.0, 1.0])} | changes
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        for name, values in arrays.items():
            if values is not None:
                file.create_dataset(name, data=values, compression=None if np.ndim(values) < 2 else 1)
    return path


@pytest.fixture
def challenge(tmp_path):
    """Two cases of each annotator, numbered throughout."""
    for rater in range(4):
        for n in range(2):
            number = 2 * rater + n
            write_case(tmp_path / "mmis" / f"Annotator_{rater + 1}" / f"Case_{number}.h5", seed=number)
    return tmp_path / "mmis"


def load(source, folder, config=CONFIG):
    prepare(source, folder, config)
    return dataset.load(config, folder)


def test_absent_data_say_how_to_get_and_prepare_them(tmp_path):
    with pytest.raises(DataAbsentError, match="data set 'gbm' is not prepared") as caught:
        dataset.load(GbmConfig(), tmp_path)
    assert "MMIS-2024 challenge, task 2" in caught.value.expected
    assert caught.value.hint.startswith("mrbench data prepare gbm --source FOLDER")


def test_every_case_has_one_of_four_identified_raters(challenge, tmp_path):
    cases = load(challenge, tmp_path)
    assert cases.ids == tuple(f"A{r + 1}-Case_{2 * r + n}" for r in range(4) for n in range(2))
    assert cases.description.raters is Raters.IDENTIFIED
    assert cases.description.unit is Unit.VOLUME
    np.testing.assert_array_equal(cases.present, np.repeat(np.eye(4, dtype=bool), 2, axis=0))
    assert (cases[2].image.shape, cases[2].masks.shape) == ((3, 2, 32, 32), (4, 2, 32, 32))
    assert cases[2].masks.sum(axis=(1, 2, 3)).tolist() == [0, 288, 0, 0]
    assert cases[0].spacing == (5.0, 1.0, 1.0)
    assert check_cases(cases) == []


def test_training_slices_know_who_is_absent(challenge, tmp_path):
    slices = slices_of(load(challenge, tmp_path), np.array([0, 7]))
    assert slices.present.int().tolist() == [[1, 0, 0, 0]] * 2 + [[0, 0, 0, 1]] * 2


def test_every_fold_tests_every_annotator(challenge, tmp_path):
    cases = load(challenge, tmp_path)
    for fold in cases.splits["strict"].folds:
        assert cases.present[fold.test].any(axis=0).all()


def test_one_name_in_two_folders_is_one_subject(challenge, tmp_path):
    write_case(challenge / "Annotator_4" / "Case_0.h5", seed=99)
    cases = load(challenge, tmp_path)
    assert [cases.ids[i] for i in range(9) if cases.subjects[i] == "Case_0"] == ["A1-Case_0", "A4-Case_0"]


def test_channels_and_sizes_are_those_of_the_files(challenge, tmp_path):
    for path in challenge.rglob("*.h5"):
        number, rater = int(path.stem[-1]), path.parent.name[-1]
        shape = (1, 20, 40) if number == 3 else (2, 32, 32)
        write_case(path, shape=shape, seed=number, named=f"label_a{rater}", flair=np.ones(shape, np.float32))
    cases = load(challenge, tmp_path)
    assert cases.description.channels == ("flair", "t1", "t1c", "t2")
    assert cases.description.training_size == (32, 40)
    assert cases[3].image.shape == (4, 1, 20, 40)


# --- hostile sources


def assert_refused(challenge, tmp_path, message, config=CONFIG):
    with pytest.raises(DataError, match=message) as caught:
        prepare(challenge, tmp_path, config)
    assert not list(tmp_path.glob("*.h5*"))
    return caught.value


def test_a_missing_annotator(challenge, tmp_path):
    (challenge / "Annotator_3").rename(challenge / "elsewhere")
    assert_refused(challenge, tmp_path, "does not hold the challenge's files\n.*\n.*no .h5 file in .*Annotator_3")


def test_an_archive_that_is_not_unpacked(challenge, tmp_path):
    (challenge / "Annotator_3").rename(challenge / "Annotator_3.zip")
    assert_refused(challenge, tmp_path, "Annotator_3.zip, which is not unpacked")


def test_two_files_of_one_name(challenge, tmp_path):
    write_case(challenge / "Annotator_2" / "more" / "Case_2.h5")
    assert_refused(challenge, tmp_path, "holds two files of one name\n.*Case_2.h5")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"label": None}, r"has not one mask\n.*label or label_a2\n.*none"),
        ({"label_a2": np.zeros((2, 32, 32), np.uint8)}, "has not one mask\n.*\n.*label, label_a2"),
        ({"label": None, "label_a1": np.zeros((2, 32, 32), np.uint8)}, "has not one mask\n.*\n.*label_a1"),
        ({"t2": None}, r"has other images than .*Case_0.h5\n.*t1, t1c, t2\n.*t1, t1c\n"),
        ({"t1": None, "t1c": None, "t2": None}, "has no image"),
        ({"label": np.full((2, 32, 32), 2, np.uint8)}, "has wrong labels in label"),
        ({"label": np.zeros((2, 32, 31), np.uint8)}, "has a wrong shape in /label"),
        ({"t1c": np.full((2, 32, 32), np.nan, np.float32)}, "has an image t1c that is not finite"),
        ({"t1": np.zeros((32, 32), np.float32)}, "has a wrong shape in /t1"),
        ({"t1": np.full((2, 32, 32), b"text")}, "has a wrong type in /t1"),
        ({"voxel_spacing": np.array([5.0, -1.0, 1.0])}, "has a wrong voxel_spacing"),
    ],
)
def test_a_file_that_is_laid_out_otherwise(challenge, tmp_path, changes, message):
    write_case(challenge / "Annotator_2" / "Case_3.h5", **changes)
    assert_refused(challenge, tmp_path, f"Case_3.h5 {message}")


def test_a_link_out_of_the_folder(challenge, tmp_path):
    path = next((challenge / "Annotator_1").glob("*.h5"))
    path.rename(tmp_path / "outside")
    path.symlink_to(tmp_path / "outside")
    assert_refused(challenge, tmp_path, f"{path.name} is a link to outside of its folder")


def test_an_external_link(challenge, tmp_path):
    with h5py.File(challenge / "Annotator_2" / "Case_3.h5", "a") as file:
        del file["t1"]
        file["t1"] = h5py.ExternalLink(str(challenge / "Annotator_1" / "Case_0.h5"), "/t1")
    assert_refused(challenge, tmp_path, "Case_3.h5 has a link at /t1")


def test_fewer_cases_than_folds(challenge, tmp_path):
    assert_refused(challenge, tmp_path, "cannot split 8 subjects into 20 folds", GbmConfig(folds=20))


def test_another_container_under_its_name(challenge, tmp_path):
    load(challenge, tmp_path)
    with h5py.File(tmp_path / "gbm.h5", "a") as file:
        file["present"][0] = 1
    with pytest.raises(DataError, match=r"holds another data set\n.*one rater in each case"):
        dataset.load(CONFIG, tmp_path)


# --- as a user


def test_methods_train_with_absent_raters_and_what_needs_two_is_missing(mrbench, challenge):
    result = mrbench("data", "prepare", "gbm", "--source", challenge, "--set", "folds=2")
    assert result.exit_code == 0, result.output
    assert result.output.endswith("gbm.h5: 8 cases, 2, 2, 2, 2 by annotators 1 to 4\n")
    assert mrbench("data", "verify", "gbm", "--set", "folds=2").exit_code == 0
    names = ("unet-majority", "leave-one-out")
    methods = [word for name in names for word in ("--method", name)]
    options = ("--fold", "0", "--preset", "quick", "--set", "unet-majority.epochs=1", "--set", "gbm.folds=2")
    run = mrbench("run", "--dataset", "gbm", *methods, *options, "--out", "results")
    assert run.exit_code == 0, run.output
    found = {name: metrics_of(name) for name in names}
    assert found["leave-one-out"] == {}, "nobody else looked: missing, never zero"
    assert not {"ged_unbiased", "auroc_disagreement", "ncc"} & set(found["unet-majority"])
    assert 0 <= found["unet-majority"]["dice_rater"]["value"] <= 1


def metrics_of(method):
    from pathlib import Path

    (record,) = Path("results").glob(f"cells/gbm/{method}/*/fold0-seed0/record.json")
    return json.loads(record.read_text())["metrics"]
