"""``mrbench export``: whole or not at all, and what it refuses."""

import csv
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image
from stored_runs import vouch_again


@pytest.fixture
def to(tmp_path: Path) -> Path:
    return tmp_path / "out"


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_of_images_opens_anywhere(origin, to: Path):
    text = origin.export(origin.run_id, "--to", to, "--truth").stdout
    assert f"wrote {to}/odd.py--guess: 6 cases" in text
    assert f"mrbench score --predictions {to}/odd.py--guess --dataset odd.py:odd --plugin-file odd.py" in text
    with (to / "odd.py--guess" / "cases.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["case"] for row in rows} == set(origin.cases.ids)
    stem = next(row["file"] for row in rows if row["case"] == origin.cases.ids[0])
    assert stem == "hospital_0_scan_0"
    found = names(to / "odd.py--guess" / stem)
    raters = {"rater-ann.png", "rater-Dr.%20Bo%2Fb.png", "rater-2.png", "truth-ann.png", "truth-2.png"}
    assert found == {*raters, *(f"sample-{n:03d}.png" for n in range(5)), "consensus.png"}, (
        "the absent rater has no truth"
    )
    truth = np.asarray(Image.open(to / "odd.py--guess" / stem / "truth-2.png"))
    np.testing.assert_array_equal(truth, origin.cases[0].masks[2] * 255)


def test_the_truth_in_arrays_says_whose_it_is(volumes, to: Path):
    volumes.export(volumes.run_id, "--to", to, "--format", "hdf5", "--truth")
    with h5py.File(to / "odd.py--guess.h5") as file:
        case = file[volumes.cases.ids[0]]
        assert case["truth_rater"][:].tolist() == [b"ann", b"2"]
        np.testing.assert_array_equal(case["truth"], volumes.cases[0].masks[[0, 2]])
        assert file["rater"][:].tolist() == [b"ann", b"Dr. Bo/b", b"2"]


def test_volumes_are_nifti_unless_asked_otherwise(volumes, to: Path):
    volumes.export(volumes.run_id, "--to", to)
    assert {name.rpartition("/")[0] == "" or name.endswith(".nii.gz") for name in names(to / "odd.py--guess")} == {True}


def test_the_same_predictions_give_the_same_bytes(origin, tmp_path: Path):
    for kind in ("png", "npz", "nifti"):
        folders = [tmp_path / f"{kind}{n}" for n in range(2)]
        for folder in folders:
            origin.export(origin.run_id, "--to", folder, "--format", kind)
        one, other = ({name: (folder / name).read_bytes() for name in names(folder)} for folder in folders)
        assert one == other


def test_single_cases_and_folds_can_be_chosen(origin, to: Path):
    case = origin.cases.ids[3]
    text = origin.export(origin.run_id, "--to", to, "--case", case, "--format", "npz").stdout
    assert "score --predictions" not in text, "a part of a fold cannot be scored"
    with np.load(to / "odd.py--guess.npz") as arrays:
        assert {name.rpartition("/")[0] for name in arrays} == {case, ""}
    text = origin.export(origin.run_id, "--to", to.with_name("fold"), "--fold", "1").stdout
    assert ": 3 cases" in text
    assert text.strip().endswith("--fold 1")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--case", "nobody"), 2, "unknown case 'nobody'"),
        (("--method", "gues"), 2, "unknown method 'gues'"),
        (("--fold", "7"), 2, "unknown fold '7'"),
        (("--format", "dicom"), 2, "dicom"),
    ],
)
def test_what_the_run_has_not_is_refused_and_leaves_nothing(origin, to: Path, words, code: int, message: str):
    result = origin.export(origin.run_id, "--to", to, *words, code=code)
    assert message in result.stderr
    assert list(to.parent.iterdir()) == []


def test_png_of_volumes_is_refused_with_the_remedy(volumes, to: Path):
    text = volumes.export(volumes.run_id, "--to", to, "--format", "png", code=2).stderr
    assert "--format nifti" in text
    assert list(to.parent.iterdir()) == []


def test_what_is_there_is_never_written_over(origin, to: Path):
    to.mkdir()
    assert "is there already" in origin.export(origin.run_id, "--to", to, code=2).stderr
    assert list(to.iterdir()) == []


def test_rows_with_several_trials_of_a_case_are_left_out_unless_they_are_asked_for(mrbench):
    words = ("--dataset", "phantom", "--set", "phantom.subjects=6", "--set", "phantom.size=32", "--set", "slices=1")
    mrbench("run", "--method", "staple", "--method", "leave-one-out", *words, "--fold", "0")
    result = mrbench("export", "--to", "a", "--format", "npz")
    assert result.exit_code == 0
    assert "leave-one-out" in result.stderr
    assert names(Path("a")) == {"staple.npz"}
    result = mrbench("export", "--to", "b", "--method", "leave-one-out")
    assert result.exit_code == 2
    assert "4 trials" in result.stderr
    assert not Path("b").exists()


def test_a_damaged_file_of_predictions_leaves_nothing(make_origin, to: Path):
    origin = make_origin(2, True)
    path = origin.records()["odd.py:guess", 1]["folder"] / "predictions.h5"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    try:
        assert "predictions.h5" in origin.export(origin.run_id, "--to", to, code=1).stderr
    finally:
        path.write_bytes(content)
    assert list(to.parent.iterdir()) == []


def test_predictions_that_lack_cases_are_refused_and_leave_nothing(make_origin, to: Path):
    origin = make_origin(2, True)
    folder = origin.records()["odd.py:guess", 1]["folder"]
    path = folder / "predictions.h5"
    content = path.read_bytes()
    with h5py.File(path, "a") as file:
        names = file["block000000/case"]
        names[0] = b"another"
    vouch_again(folder)
    try:
        text = origin.export(origin.run_id, "--to", to, code=1).stderr
    finally:
        path.write_bytes(content)
        vouch_again(folder)
    assert "the stored predictions of 'odd.py:guess' lack 1 of 6 cases" in text
    assert "found:    none of 'hospital" in text
    assert list(to.parent.iterdir()) == []


def test_cases_whose_names_no_group_can_have_are_refused(tmp_path: Path):
    from mrbench.errors import UsageError
    from mrbench.external.writers import Hdf5Writer

    for name in ("rater", "a/samples", "a//b", "./a", "a/truth"):
        writer = Hdf5Writer(tmp_path / f"{len(list(tmp_path.iterdir()))}.h5", ("r",))
        case = type("Case", (), {"id": name, "masks": np.zeros((1, 2, 2), np.uint8)})
        with pytest.raises(UsageError, match="cannot name a group"):
            writer.add(case, "consensus", [None], [np.zeros((2, 2), np.uint8)])
        writer.close()
