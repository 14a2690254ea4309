import subprocess
import sys
from shutil import copytree

import h5py
import numpy as np
import pytest

from mrbench.data.checks import check_cases
from mrbench.data.container import open_container
from mrbench.data.description import Raters, Unit
from mrbench.data.splits import Fold, Split
from mrbench.engine.slices import slices_of
from mrbench.errors import DataAbsentError, DataError
from mrbench_npc import dataset
from mrbench_npc.challenge import fit, read_volume
from mrbench_npc.config import NpcConfig
from mrbench_npc.files import depth_first
from mrbench_npc.prepare import prepare
from mrbench_npc.splits import make_splits as splits_of

PARTIAL = NpcConfig(partial=True)


def write_case(path, *, shape=(3, 145, 179), seed=0, **changes):
    """A file of the challenge, compressed as its files are; ``changes`` replace keys, None leaves one out."""
    rng = np.random.default_rng(seed)
    keys = {name: rng.normal(100, 20, shape).astype(np.float32) for name in ("t1", "t1c", "t2")}
    for r in range(1, 5):
        label = np.zeros(shape, np.uint8)
        label[:, shape[1] // 2 - 6 : shape[1] // 2 + 6 + r, shape[2] // 2 - 6 : shape[2] // 2 + 6] = 1
        keys[f"label_a{r}"] = label
    keys |= {"voxel_spacing": np.array([5.0, 0.5, 0.5])} | changes
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        for name, values in keys.items():
            if values is not None:
                file.create_dataset(name, data=values, compression=None if np.ndim(values) < 2 else 1)
    return path


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    source = tmp_path_factory.mktemp("mmis")
    for number in range(5):
        write_case(source / "training" / f"Sample_{number}.h5", seed=number)
    for number in range(2):
        write_case(source / "validation" / f"Sample_{number}.h5", shape=(2, 100, 130), seed=10 + number)
    return source


@pytest.fixture
def challenge(written, tmp_path):
    """Five training and two validation cases."""
    return copytree(written, tmp_path / "mmis")


@pytest.fixture
def cases(challenge, tmp_path):
    prepare(challenge, tmp_path / "npc.h5", PARTIAL)
    return dataset.load(PARTIAL, tmp_path)


def make_splits(ids, config):
    """Of volumes, each its own subject."""
    return splits_of(ids, ids, config)


def names(training=100, validation=20, first=0):
    return [f"training-Sample_{n + first}" for n in range(training)] + [
        f"validation-Sample_{n}" for n in range(validation)
    ]


def test_the_plugin_is_light():
    code = "import sys, mrbench_npc; mrbench_npc.mrbench_datasets(); assert not {'numpy', 'h5py'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_absent_data_say_how_to_get_and_prepare_them(tmp_path):
    with pytest.raises(DataAbsentError, match="data set 'npc' is not prepared") as caught:
        dataset.load(NpcConfig(), tmp_path)
    assert "MMIS-2024 challenge, task 1" in caught.value.expected
    assert "training and validation" in caught.value.expected
    assert caught.value.hint.startswith("mrbench data prepare npc --source FOLDER")


def test_volumes_of_three_channels_and_four_identified_raters(cases):
    assert cases.ids == (*(f"training-Sample_{n}" for n in range(5)), "validation-Sample_0", "validation-Sample_1")
    assert cases.subjects == cases.ids
    assert (cases[0].image.shape, cases[0].masks.shape) == ((3, 3, 128, 128), (4, 3, 128, 128))
    assert (cases[5].image.shape, cases[5].masks.shape) == ((3, 2, 128, 128), (4, 2, 128, 128))
    assert cases.description.raters is Raters.IDENTIFIED
    assert cases.description.unit is Unit.VOLUME
    assert cases[0].spacing == (5.0, 0.5, 0.5)


def test_images_are_standardised_per_case_and_channel(cases):
    image = cases[0].image.astype(np.float64)
    np.testing.assert_allclose(image.mean(axis=(1, 2, 3)), 0, atol=1e-4)
    np.testing.assert_allclose(image.std(axis=(1, 2, 3)), 1, atol=1e-4)


def test_prepared_cases_pass_every_check(cases):
    assert check_cases(cases) == []


def test_planes_are_cropped_about_the_centre(challenge):
    path = challenge / "training" / "Sample_3.h5"
    volume = read_volume(path)
    with h5py.File(path) as file:
        np.testing.assert_array_equal(volume.image[1], file["t1c"][:, 8:136, 25:153], strict=True)
        np.testing.assert_array_equal(volume.masks[2], file["label_a3"][:, 8:136, 25:153], strict=True)
    assert (volume.native, volume.clipped) == ((3, 145, 179), 0)


def test_small_planes_are_padded_with_the_least_value_of_their_channel():
    small = np.arange(2 * 1 * 100 * 130, dtype=np.float32).reshape(2, 1, 100, 130) - 5
    fitted = fit(small)
    np.testing.assert_array_equal(fitted[:, :, 14:114], small[:, :, :, 1:129])
    assert (fitted[0, :, :14] == -5).all()
    assert (fitted[1, :, 114:] == 12995).all()


@pytest.fixture
def small(tmp_path):
    """Five training and two validation cases of two small planes, with ``training_2d``."""
    for part, count in (("training", 5), ("validation", 2)):
        for number in range(count):
            write_small(tmp_path / "mmis", part, number)
    return tmp_path / "mmis"


def write_small(source, part, number):
    """A volume and, of training, its slices; the first label of case n has a pixel at column n of the first row."""
    seed = number + 100 * (part == "validation")
    path = write_case(source / part / f"Sample_{number}.h5", shape=(2, 24, 24), seed=seed)
    with h5py.File(path, "a") as file:
        file["label_a1"][:, 0, number] = 1
        for d in range(2 * (part == "training")):
            write_plane(source / "training_2d" / f"Sample_{number}_slice_{d}.h5", file, d)


def write_plane(path, volume, d):
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        for name in set(volume) - {"voxel_spacing"}:
            file.create_dataset(name, data=volume[name][d], compression=1)


def marked(cases, indices):
    """The cases whose pixel is in the slices that a training would take."""
    corner = slices_of(cases, indices).masks[:, 0, 52, 52:76]
    return {int(column) for row in corner.numpy() for column in np.flatnonzero(row)}


@pytest.mark.parametrize("slices", ["volumes", "training_2d"])
@pytest.mark.parametrize("rule", ["80-20-20", "100-20"])
def test_no_slice_of_a_subject_that_validates_or_tests_is_trained_on(small, tmp_path, slices, rule):
    config = NpcConfig(partial=True, slices=slices, split=rule)
    prepare(small, tmp_path, config)
    cases = dataset.load(config, tmp_path)
    (fold,) = cases.splits["strict"].folds
    (moved,) = (int(cases.subjects[i][-1]) for i in fold.validation)
    assert marked(cases, np.arange(len(cases))) == set(range(5)), "all subjects are there to leak"
    assert marked(cases, fold.train) == set(range(5)) - {moved}
    assert len(slices_of(cases, fold.train)) == 8
    assert [cases.ids[i] for i in fold.test] == ["validation-Sample_0", "validation-Sample_1"]
    assert {cases[i].image.shape for i in (*fold.validation, *fold.test)} == {(3, 2, 128, 128)}


def test_a_list_with_a_slice_of_a_subject_that_validates_is_refused(small, tmp_path):
    config = NpcConfig(partial=True, slices="training_2d")
    prepare(small, tmp_path, config)
    cases = dataset.load(config, tmp_path)
    (fold,) = cases.splits["80-20-20"].folds
    leaked = np.append(fold.train, cases.ids.index("training_2d-Sample_4_slice_1"))
    with pytest.raises(DataError, match="splits subject 'training-Sample_4'"):
        Split("leaky", (Fold(leaked, fold.validation, fold.test),)).check(cases.subjects, owner="npc")


def test_ready_made_slices_are_standardised_as_their_volumes(small, tmp_path):
    ready = NpcConfig(partial=True, slices="training_2d")
    for config in (PARTIAL, ready):
        prepare(small, tmp_path, config)
    volumes, cases = (dataset.load(config, tmp_path) for config in (PARTIAL, ready))
    assert cases.description.name == "npc-training-2d-partial"
    np.testing.assert_allclose(cases[0].image, volumes[0].image, atol=1e-5)
    one = cases[cases.ids.index("training_2d-Sample_3_slice_1")]
    np.testing.assert_allclose(one.image[:, 0, 52:76, 52:76], volumes[3].image[:, 1, 52:76, 52:76], atol=1e-5)
    np.testing.assert_array_equal(one.masks[:, 0], volumes[3].masks[:, 1])
    assert check_cases(volumes) == []


def test_slices_are_counted_beside_the_counts_of_papers(small, tmp_path):
    told = prepare(small, tmp_path, NpcConfig(partial=True, slices="training_2d")).splitlines()
    assert told[0].endswith("npc-training-2d.h5: 17 cases")
    assert told[1:] == [f"slices under {name}: 8 train, 2 validation, 4 test" for name in ("80-20-20", "100-20")]
    for number in range(100):
        write_case(small / "training" / f"Sample_{number}.h5", shape=(1, 2, 2))
    for number in range(20):
        write_case(small / "validation" / f"Sample_{number}.h5", shape=(1, 2, 2))
    told = prepare(small, tmp_path, NpcConfig()).splitlines()
    assert told[0].endswith("npc.h5: 120 cases")
    assert told[1] == "slices under 80-20-20: 80 train, 20 validation, 20 test (ProSeg: 5817, 1398, 1126)"
    assert told[2] == "slices under 100-20: 85 train, 15 validation, 20 test (the per-rater thesis: 2405 train)"


def test_numbers_that_begin_alike_are_told_apart(small, tmp_path):
    write_small(small, "training", 12)
    config = NpcConfig(partial=True, slices="training_2d")
    prepare(small, tmp_path, config)
    cases = dataset.load(config, tmp_path)
    assert cases.subjects[cases.ids.index("training_2d-Sample_12_slice_1")] == "training-Sample_12"
    assert cases.subjects[cases.ids.index("training_2d-Sample_1_slice_1")] == "training-Sample_1"


def test_labels_that_the_crop_cuts_are_counted(challenge, tmp_path):
    path = challenge / "training" / "Sample_0.h5"
    label = np.zeros((3, 145, 179), np.uint8)
    label[1, 0, :7] = 1
    write_case(path, label_a2=label)
    prepare(challenge, tmp_path / "npc.h5", PARTIAL)
    metadata = dataset.load(PARTIAL, tmp_path)[0].metadata
    assert metadata == {
        "file": "training/Sample_0.h5",
        "native_shape": [3, 145, 179],
        "voxel_spacing": [5.0, 0.5, 0.5],
        "clipped_voxels": 7,
    }


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ((5.0, 0.5, 0.5), (5.0, 0.5, 0.5)),
        ((0.5, 0.5, 5.0), (5.0, 0.5, 0.5)),
        ((1.0, 1.0, 1.0), (1.0, 1.0, 1.0)),
        ((5.0, 0.5, 0.6), (5.0, 0.5, 0.6)),
        (None, None),
    ],
)
def test_the_odd_spacing_is_that_of_the_slices(stored, expected):
    assert depth_first(stored) == expected


def test_an_unknown_spacing_stays_unknown(challenge, tmp_path):
    write_case(challenge / "training" / "Sample_0.h5", voxel_spacing=None)
    prepare(challenge, tmp_path, PARTIAL)
    cases = dataset.load(PARTIAL, tmp_path)
    assert (cases[0].spacing, cases[1].spacing) == (None, (5.0, 0.5, 0.5))


def test_the_container_can_be_named_by_its_folder(challenge, tmp_path):
    prepare(challenge, tmp_path, PARTIAL)
    assert len(open_container(tmp_path / "npc.h5", "stream")) == 7


def test_files_of_a_mac_archive_are_left_out(challenge, tmp_path):
    (challenge / "training" / "._Sample_0.h5").write_bytes(b"resource fork")
    prepare(challenge, tmp_path, PARTIAL)
    assert len(open_container(tmp_path / "npc.h5", "stream")) == 7


# --- splits


def test_training_cases_80_to_99_validate_and_the_challenges_validation_tests():
    ids = names()
    (fold,) = make_splits(ids, NpcConfig())["strict"].folds
    assert (len(fold.train), len(fold.validation), len(fold.test)) == (80, 20, 20)
    assert [ids[i] for i in fold.validation] == [f"training-Sample_{n}" for n in range(80, 100)]
    assert [ids[i] for i in fold.test] == [f"validation-Sample_{n}" for n in range(20)]


def test_numbers_from_one_follow_the_rule_by_number():
    ids = names(first=1)
    (fold,) = make_splits(ids, NpcConfig())["80-20-20"].folds
    assert [ids[i] for i in fold.validation] == [f"training-Sample_{n}" for n in range(80, 100)]
    assert "training-Sample_100" in [ids[i] for i in fold.train]


def test_all_hundred_train_but_a_seeded_share():
    splits = make_splits(names(), NpcConfig(split="100-20"))
    (fold,) = splits["100-20"].folds
    assert (len(fold.train), len(fold.validation), len(fold.test)) == (85, 15, 20)
    assert splits["strict"].digest(names()) == splits["100-20"].digest(names())
    other = make_splits(names(), NpcConfig(split="100-20", split_seed=1))
    assert other["100-20"].digest(names()) != splits["100-20"].digest(names())


def test_the_seeded_share_does_not_depend_on_the_order_of_files():
    ids = names()
    backwards = ids[::-1]
    chosen = [
        {order[i] for i in make_splits(order, NpcConfig())["100-20"].folds[0].validation} for order in (ids, backwards)
    ]
    assert chosen[0] == chosen[1]


def test_every_list_is_of_whole_subjects():
    ids = names()
    for split in make_splits(ids, NpcConfig()).values():
        split.check(ids, owner="npc")


@pytest.mark.parametrize(("training", "validation"), [(99, 20), (100, 19), (5, 2), (101, 20)])
def test_other_counts_are_refused(training, validation):
    with pytest.raises(DataError, match="data set 'npc' is not complete") as caught:
        make_splits(names(training, validation), NpcConfig())
    assert "partial=true" in caught.value.hint


def test_other_numbers_are_refused():
    with pytest.raises(DataError, match="is not numbered as the published rule needs"):
        make_splits(names(first=500), NpcConfig())


@pytest.mark.parametrize(("training", "expected"), [(2, 1), (5, 1), (10, 2), (99, 19)])
def test_in_part_the_last_fifth_validates(training, expected):
    ids = names(training, 2)
    (fold,) = make_splits(ids, PARTIAL)["strict"].folds
    assert [ids[i] for i in fold.validation] == ids[training - expected : training]


@pytest.mark.parametrize(("training", "validation"), [(1, 2), (2, 0)])
def test_too_few_cases_are_refused_even_in_part(training, validation):
    with pytest.raises(DataError, match="at least 2 training and 1 validation cases"):
        make_splits(names(training, validation), PARTIAL)


def test_a_partial_collection_is_another_data_set(cases, tmp_path):
    assert cases.description.name == "npc-partial"
    with pytest.raises(DataError, match="holds another data set") as caught:
        dataset.load(NpcConfig(), tmp_path)
    assert "partial=true" in caught.value.found


# --- hostile sources


def assert_refused(challenge, tmp_path, message):
    with pytest.raises(DataError, match=message):
        prepare(challenge, tmp_path / "npc.h5", PARTIAL)
    assert not (tmp_path / "npc.h5").exists()


@pytest.mark.parametrize("part", ["training", "validation"])
def test_a_missing_folder(challenge, tmp_path, part):
    (challenge / part).rename(challenge / "elsewhere")
    assert_refused(challenge, tmp_path, "does not hold the challenge's files")


def test_a_file_without_a_number(challenge, tmp_path):
    write_case(challenge / "training" / "Sample.h5")
    assert_refused(challenge, tmp_path, "case 'Sample' of data set 'npc' has no number")


def test_two_files_of_one_number(challenge, tmp_path):
    write_case(challenge / "training" / "Sample_03.h5")
    assert_refused(challenge, tmp_path, "holds two files of one number\n.*Sample_03.h5 and Sample_3.h5")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Sample_4_slice_1", "Sample_9_slice_1", "Sample_9_slice_1.h5 is of no training case"),
        ("Sample_4_slice_1", "Sample_4", "Sample_4.h5 is of no training case"),
        ("Sample_4_slice_1", "slice", "slice.h5 is of no training case"),
        ("Sample_4_slice_1", "Sample_12", "Sample_12.h5 is of no training case"),
    ],
)
def test_a_slice_of_nobody(small, tmp_path, old, new, message):
    (small / "training_2d" / f"{old}.h5").rename(small / "training_2d" / f"{new}.h5")
    with pytest.raises(DataError, match=message):
        prepare(small, tmp_path, NpcConfig(partial=True, slices="training_2d"))


def test_a_training_case_without_slices_and_no_slices_at_all(small, tmp_path):
    config = NpcConfig(partial=True, slices="training_2d")
    for path in (small / "training_2d").glob("Sample_2_*"):
        path.unlink()
    with pytest.raises(DataError, match=r"has no slice of 1 training cases\n.*training-Sample_2 first"):
        prepare(small, tmp_path, config)
    for path in (small / "training_2d").iterdir():
        path.unlink()
    with pytest.raises(DataError, match="does not hold the challenge's files") as caught:
        prepare(small, tmp_path, config)
    assert "training_2d for slices=training_2d" in caught.value.expected
    with pytest.raises(DataAbsentError, match="not prepared with slices=training_2d") as caught:
        dataset.load(config, tmp_path)
    assert "--set slices=training_2d, where FOLDER holds training, validation and training_2d" in caught.value.hint


def test_a_slice_that_is_a_volume(small, tmp_path):
    write_case(small / "training_2d" / "Sample_2_slice_1.h5", shape=(2, 24, 24))
    with pytest.raises(DataError, match=r"Sample_2_slice_1.h5 has a wrong shape in /t1"):
        prepare(small, tmp_path, NpcConfig(partial=True, slices="training_2d"))


def test_a_truncated_file(challenge, tmp_path):
    path = challenge / "training" / "Sample_2.h5"
    path.write_bytes(path.read_bytes()[:-100])
    assert_refused(challenge, tmp_path, "Sample_2.h5 is not a whole HDF5 file")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"t2": None}, "has no member /t2"),
        ({"label_a4": None}, "has no member /label_a4"),
        ({"t1c": np.zeros((3, 145, 178), np.float32)}, "has a wrong shape in /t1c"),
        ({"t1": np.zeros((145, 179), np.float32)}, "has a wrong shape in /t1"),
        ({"t1": np.zeros((0, 145, 179), np.float32)}, "has a wrong size"),
        ({"t1": np.zeros((3, 145, 179), "c8")}, "has a wrong type in /t1"),
        ({"t1": np.full((3, 145, 179), np.nan, np.float32)}, "has an image t1 that is not finite"),
        ({"label_a1": np.full((3, 145, 179), 2, np.uint8)}, "has wrong labels in label_a1"),
        ({"label_a1": np.full((3, 145, 179), 0.5, np.float32)}, r"\(array label_a1\) is a mask with fractions"),
        ({"voxel_spacing": np.array([1.0, 1.0])}, "has a wrong shape in /voxel_spacing"),
        ({"voxel_spacing": np.array([1.0, 0.0, 1.0])}, "has a wrong voxel_spacing"),
    ],
)
def test_a_file_that_is_laid_out_otherwise(challenge, tmp_path, changes, message):
    if changes.get("t1") is not None and changes["t1"].size == 0:
        (challenge / "training" / "Sample_1.h5").unlink()
        with h5py.File(challenge / "training" / "Sample_1.h5", "w") as file:
            file["t1"] = changes["t1"]
    else:
        write_case(challenge / "training" / "Sample_1.h5", **changes)
    assert_refused(challenge, tmp_path, f"Sample_1.h5 {message}")


def test_a_link_out_of_the_folder(challenge, tmp_path):
    path = challenge / "training" / "Sample_1.h5"
    path.rename(tmp_path / "outside")
    path.symlink_to(tmp_path / "outside")
    assert_refused(challenge, tmp_path, f"{path.name} is a link to outside of its folder")


def test_an_external_link(challenge, tmp_path):
    with h5py.File(challenge / "training" / "Sample_1.h5", "a") as file:
        del file["t1"]
        file["t1"] = h5py.ExternalLink(str(challenge / "training" / "Sample_0.h5"), "/t1")
    assert_refused(challenge, tmp_path, "has a link at /t1")


def test_a_volume_larger_than_its_file_can_hold(challenge, tmp_path):
    with h5py.File(challenge / "training" / "Sample_1.h5", "w") as file:
        file.create_dataset("t1", (1000, 500, 500), "f4", chunks=(1, 500, 500), compression="gzip")
    assert_refused(challenge, tmp_path, "declares more than its size can hold")


# --- as a user


def test_from_the_files_to_a_table(mrbench, small):
    result = mrbench("data", "prepare", "npc", "--source", small, "--set", "partial=true")
    assert result.exit_code == 0, result.output
    assert "slices under 80-20-20: 8 train, 2 validation, 4 test" in result.output
    assert mrbench("data", "verify", "npc", "--set", "partial=true").exit_code == 0
    options = ("--set", "npc.partial=true", "--set", "unet-majority.epochs=1", "--preset", "quick")
    run = mrbench("run", "--dataset", "npc", "--method", "unet-majority", *options)
    assert run.exit_code == 0, run.output
    assert "4 identified raters, unit volume" in run.output


def test_an_incomplete_collection_says_how_to_take_what_there_is(mrbench, small):
    result = mrbench("data", "prepare", "npc", "--source", small)
    assert result.exit_code == 1
    assert "partial=true" in result.stderr
    assert "100 training and 20 validation cases" in result.stderr
