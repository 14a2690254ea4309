"""``mrbench data import`` as a user meets it."""

import json
import shlex

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def mine(tmp_path):
    """Six cases, two raters; one mask is missing."""
    for k in range(6):
        for name, values in (
            (f"images/c{k}.png", np.arange(144, dtype=np.uint8).reshape(12, 12) + np.uint8(k)),
            (f"masks/ann/c{k}.png", np.eye(12, dtype=np.uint8) * 255),
            (f"masks/bo/c{k}.png", np.tri(12, dtype=np.uint8) * 255),
        ):
            (tmp_path / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(values).save(tmp_path / "mine" / name)
    (tmp_path / "mine/masks/bo/c3.png").unlink()
    return tmp_path / "mine"


def test_one_command_says_what_it_understood_and_how_to_go_on(mrbench, mine, tmp_path):
    result = mrbench("data", "import", "mine")
    assert result.exit_code == 0, result.stderr
    for text in (
        "images/{case}.png",
        "masks/{rater}/{case}.png",
        "2 identified",
        "ann 6, bo 5",
        "bo in 1 case, which have no file: c3",
        "0 background, 255 foreground",
        "12 x 12",
    ):
        assert text in result.stdout
    assert (tmp_path / "data" / "mine.h5").is_file()
    commands = [shlex.split(line) for line in result.stdout.splitlines() if line.startswith("  mrbench ")]
    assert [command[1:3] for command in commands if command[1] == "data"] == [["data", "verify"], ["data", "inspect"]]
    assert commands[-1][1] == "run"
    for command in commands[:2]:
        assert mrbench(*command[1:]).exit_code == 0


def test_the_printed_run_scores_the_imported_cases(mrbench, mine):
    printed = mrbench("data", "import", "mine").stdout
    assert "mrbench run --method unet-majority --preset quick --dataset mine\n" in printed
    result = mrbench("run", "--method", "staple", "--dataset", "mine", "--fold", "0")
    assert result.exit_code == 0, result.stderr
    assert "2 identified raters" in result.stdout
    (run,) = (mine.parent / "results" / "runs").iterdir()
    assert run.name.startswith("mine-")
    assert list((mine.parent / "results" / "cells" / "mine").iterdir())


def test_two_imported_sets_stand_in_one_run_under_their_names(mrbench, mine):
    for name in ("mine", "Other.2"):
        mrbench("data", "import", "mine", "--name", name)
    words = ("--dataset", "mine", "--dataset", "Other.2", "--set", "Other.2.file=Other.2.h5", "--fold", "0")
    result = mrbench("run", "--method", "staple", *words)
    assert result.exit_code == 0, result.stderr
    assert {path.name for path in (mine.parent / "results" / "cells").iterdir()} == {"mine", "Other.2"}
    shown = mrbench("show", "last").stdout
    assert "mine" in shown
    assert "Other.2" in shown
    assert mrbench("export", "last", "--to", "masks").exit_code == 0
    scored = mrbench("score", "--predictions", "masks/mine-staple", "--dataset", "mine", "--fold", "0")
    assert scored.exit_code == 0, scored.stderr


@pytest.mark.parametrize(
    "words",
    [("data", "verify", "mine"), ("data", "info", "mine"), ("data", "inspect", "mine"), ("agreement", "mine"),
     ("info", "mine"), ("data", "list"), ("doctor",), ("check", "mine")],
)  # fmt: skip
def test_commands_take_the_name_of_an_imported_set(mrbench, mine, words):
    mrbench("data", "import", "mine")
    result = mrbench(*words)
    assert result.exit_code == 0, result.stderr
    assert "mine" in result.stdout


def test_the_list_has_an_imported_set_under_its_name(mrbench, mine, tmp_path):
    mrbench("data", "import", "mine")
    found = {one["name"]: one for one in json.loads(mrbench("data", "list", "--json").stdout)["datasets"]}
    assert (found["mine"]["state"], found["mine"]["cases"]) == ("prepared", 6)
    assert found["mine"]["where"] == str(tmp_path / "data" / "mine.h5")
    assert found["folder"]["containers"] == []


def test_python_takes_the_name_too_and_folder_goes_on_working(mrbench, mine, tmp_path):
    from mrbench import load_dataset

    mrbench("data", "import", "mine")
    cases = load_dataset("mine", data=tmp_path / "data")
    assert cases.description.name == "mine"
    assert load_dataset("folder", data=tmp_path / "data", file="mine.h5").digest == cases.digest


@pytest.mark.parametrize("name", ["phantom", "lidc", "folder", "Phantom", "qubiq", "npc"])
def test_the_name_of_an_installed_data_set_is_refused(mrbench, mine, name):
    for words in (("--name", name), ("--name", name, "--dry-run"), ("--name", name, "--out", "a.h5")):
        result = mrbench("data", "import", "mine", *words)
        assert result.exit_code == 2
        assert f"'{name}' is the name of an installed data set" in result.stderr
        assert f"--name my-{name.lower()}" in result.stderr


def test_a_misspelt_name_is_told_the_nearest(mrbench, mine):
    mrbench("data", "import", "mine")
    result = mrbench("run", "--method", "staple", "--dataset", "mime")
    assert result.exit_code == 2
    assert "mine" in result.stderr


def test_a_container_under_another_name_than_its_own_is_refused(mrbench, mine, tmp_path):
    mrbench("data", "import", "mine")
    (tmp_path / "data" / "mine.h5").rename(tmp_path / "data" / "yours.h5")
    result = mrbench("data", "verify", "yours")
    assert result.exit_code == 1
    assert "the container of 'yours' holds another data set" in result.stderr
    assert "name the file mine.h5" in result.stderr
    assert "--set file=NAME: yours.h5" in " ".join(mrbench("data", "list").stdout.split())


@pytest.mark.parametrize("words", [(), ("--name", "here")])
def test_a_container_elsewhere_is_named_after_its_file_and_found(mrbench, mine, tmp_path, words):
    result = mrbench("data", "import", "mine", "--out", "here.h5", *words)
    commands = [shlex.split(line) for line in result.stdout.splitlines() if line.startswith("  mrbench ")]
    assert commands[0] == ["mrbench", "data", "verify", "here", "--data", str(tmp_path)]
    assert commands[-1][-4:] == ["--dataset", "here", "--data", str(tmp_path)]
    assert mrbench(*commands[0][1:]).stdout.splitlines()[-1].startswith("here: 6 cases")
    assert mrbench("data", "verify", "folder", "--set", f"file={tmp_path / 'here.h5'}").exit_code == 0


def test_a_file_under_another_name_than_the_set_is_named_by_its_path(mrbench, mine, tmp_path):
    result = mrbench("data", "import", "mine", "--out", "here.h5", "--name", "there")
    assert f"file={tmp_path / 'here.h5'}" in result.stdout


def test_a_dry_run_writes_nothing(mrbench, mine, tmp_path):
    result = mrbench("data", "import", "mine", "--dry-run")
    assert "nothing was written" in result.stdout
    assert not list(tmp_path.rglob("*.h5"))


def test_what_is_written_over_has_to_be_forced_and_is_said(mrbench, mine, tmp_path):
    assert "\nwrote " in mrbench("data", "import", "mine").stdout
    before = (tmp_path / "data" / "mine.h5").read_bytes()
    again = mrbench("data", "import", "mine", "--folds", "3")
    assert again.exit_code == 2
    for text in ("mine.h5 is there already", "another --name, or --force", "mrbench data info mine"):
        assert text in again.stderr
    assert "with --force, for this is there already" in mrbench("data", "import", "mine", "--dry-run").stdout
    assert (tmp_path / "data" / "mine.h5").read_bytes() == before
    assert "\nreplaced " in mrbench("data", "import", "mine", "--folds", "3", "--force").stdout
    assert (tmp_path / "data" / "mine.h5").read_bytes() != before


@pytest.mark.parametrize("force", [(), ("--force",)])
def test_an_import_that_fails_leaves_what_was_there_and_nothing_half_written(mrbench, mine, tmp_path, force):
    mrbench("data", "import", "mine")
    before = (tmp_path / "data" / "mine.h5").read_bytes()
    np.save(mine / "images/c9.npy", np.full((12, 12), np.nan))
    for rater in ("ann", "bo"):
        np.save(mine / f"masks/{rater}/c9.npy", np.eye(12, dtype=np.uint8))
    assert mrbench("data", "import", "mine", "--name", "mine" if force else "other", *force).exit_code == 1
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["mine.h5"]
    assert (tmp_path / "data" / "mine.h5").read_bytes() == before


def test_what_cannot_be_seen_is_declared(mrbench, mine, tmp_path):
    from mrbench.data.container import open_container

    options = ("--name", "nuclei", "--classes", "nucleus", "--raters", "exchangeable", "--folds", "3")
    declared = ("--licence", "CC0", "--citation", "Me 2026", "--augment", "flip", "--training-size", "8", "8")
    assert mrbench("data", "import", "mine", *options, *declared).exit_code == 0
    found = open_container(tmp_path / "data" / "nuclei.h5")
    description = found.description
    assert (description.classes, description.raters) == (("background", "nucleus"), "exchangeable")
    assert (description.licence, description.citation) == ("CC0", "Me 2026")
    assert (description.augmentation, description.training_size) == (("flip",), (8, 8))
    assert len(found.splits["strict"].folds) == 3


def test_control_characters_in_names_never_reach_the_terminal(mrbench, mine):
    (mine / "images" / "c1.png").rename(mine / "images" / "\x1b[2Jc1.png")
    for rater in ("ann", "bo"):
        (mine / "masks" / rater / "c1.png").unlink()
    result = mrbench("data", "import", "mine", "--dry-run")
    assert "\x1b" not in result.stdout
    assert r"\x1b[2Jc1.png" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("nowhere",), 2, "nowhere is no folder, and no HDF5 file"),
        (("mine", "--out", "a.png"), 2, "is no name of a container"),
        (("mine", "--name", "a b"), 2, "cannot name a data set"),
        (("mine", "--image", "{case}.png"), 2, "--image and --mask go together"),
        (("mine", "--csv", "mine/images/c1.png", "--mask", "{case}.png"), 2, "--csv names the files itself"),
        (("mine", "--csv", "mine/images/c1.png"), 1, "is no table"),
        (("mine", "--folds", "7"), 1, "--folds 6 at most"),
        (("mine", "--classes", "a,b"), 2, "2 classes are named"),
        (("mine", "--image", "x/{case}.png", "--mask", "y/{case}.png"), 1, "no image in mine has a mask"),
    ],
)
def test_what_cannot_be_done_is_said(mrbench, mine, arguments, code, text):
    result = mrbench("data", "import", *arguments)
    assert result.exit_code == code
    assert text in result.stderr
