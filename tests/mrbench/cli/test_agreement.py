"""``mrbench agreement`` as a user calls it."""

import json

import pytest

SMALL = ("--set", "subjects=9", "--set", "size=32", "--set", "slices=1")
QUICK = (*SMALL, "--metric", "ged", "--samples", "2")


def document(result):
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_text_has_every_section(mrbench):
    text = mrbench("agreement", "phantom", *QUICK).output
    sections = ("All raters", "Two raters", "Each rater", "Distance, mean of 1 - IoU", "Dice, mean", "Area ranks",
                "Human reference rows (samples: 2)", "Pearson's r over cases", "Research software")  # fmt: skip
    assert [section for section in sections if section not in text] == []
    assert "of 9 subjects" in text
    assert "all raters looked at all cases" in text
    for row in (
        "leave-one-out",
        "majority-vote",
        "staple",
        "random-rater",
        "more-than-half",
        "vote-of-others",
        "empty",
    ):
        assert f"\n{row} " in text


def test_the_document_has_the_schema_of_the_docs(mrbench):
    found = document(mrbench("agreement", "phantom", *QUICK, "--format", "json"))
    assert (found["schema"], found["version"]) == ("mrbench.agreement", 1)
    assert set(found) == {
        "schema", "version", "mrbench", "dataset", "cases", "protocol", "intervals", "raters", "classes",
        "fleiss_kappa", "krippendorff_alpha", "krippendorff_alpha_pooled", "people", "attributes", "duplicates",
    }  # fmt: skip
    (only,) = found["classes"]
    assert set(only) == {"name", "pairs", "columns", "matrices"}
    matrix = only["matrices"]["distance"]
    assert len(matrix["value"]) == len(matrix["low"]) == len(matrix["cases"]) == 4
    assert matrix["value"][0][0] == 0
    dice = only["pairs"]["dice"]
    assert dice["low"] < dice["value"] < dice["high"]
    assert found["people"]["samples"] == 2
    assert [row["attribute"] for row in found["attributes"]["correlations"]][-1] == "mean area"


def test_absent_raters_are_counted_and_pairs_say_on_how_many_cases(mrbench):
    result = mrbench("agreement", "phantom", *QUICK, "--set", "missing=0.5")
    assert "raters who looked: " in result.output
    assert "Cases of each two raters" in result.output
    found = document(mrbench("agreement", "phantom", *QUICK, "--set", "missing=0.5", "--format", "json"))
    n = found["cases"]["number"]
    assert sum(found["cases"]["by_raters_present"].values()) == n
    for raters, cases in found["cases"]["by_raters_present"].items():
        assert f"{raters} at {cases} case" in " ".join(result.output.split())
    assert all(rater["cases"] + rater["absent"] == n for rater in found["raters"])


def test_a_part_of_a_fold_is_what_it_says(mrbench):
    every = [document(mrbench("agreement", "phantom", *QUICK, "--part", "test", "--fold", str(k), "--format", "json"))
             for k in range(3)]  # fmt: skip
    assert every[1]["cases"]["chosen"] == "test cases of fold 1 of split strict"
    whole = document(mrbench("agreement", "phantom", *QUICK, "--part", "test", "--format", "json"))
    assert sum(one["cases"]["number"] for one in every) == whole["cases"]["number"]


def test_the_folder_holds_text_document_and_pictures(mrbench, tmp_path):
    result = mrbench("agreement", "phantom", *QUICK, "--out", "found", "--picture", "--format", "json")
    names = sorted(path.name for path in (tmp_path / "found").iterdir())
    assert names == ["agreement.json", "agreement.txt", "distances.png", "ranks.png"]
    assert json.loads((tmp_path / "found" / "agreement.json").read_text()) == json.loads(result.stdout)
    assert "wrote found/distances.png" in result.stderr


@pytest.mark.parametrize("columns", [60, 100])
def test_no_line_is_wider_than_the_terminal(mrbench, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    result = mrbench("agreement", "phantom", *QUICK, "--set", "raters=8")
    assert max(map(len, result.output.splitlines())) <= columns
    assert "…" not in result.output


def test_volumes_are_named_and_have_both_conventions(mrbench):
    result = mrbench("agreement", "phantom", *QUICK, "--set", "unit=volume")
    assert "distances and Dice: of volumes as wholes" in result.output
    assert "Distance slice by slice, two empty masks 1 apart (ProSeg Tables 5 and 8)" in result.output


RAW = """
    import numpy as np
    from mrbench import CaseSet, DatasetCard, Description, Raters, hookimpl
    from mrbench.data.caseset import ArrayPixels
    MRBENCH_API = "2"
    @hookimpl
    def mrbench_datasets():
        return [DatasetCard(name=name, code=f"raw_data:load_{name}") for name in ("anonymous", "sorted")]
    def load_anonymous(config, folder, kind=Raters.EXCHANGEABLE):
        masks = (np.random.default_rng(0).random((6, 3, 8, 8)) < 0.5).astype(np.uint8)
        ids = tuple(f"image-{i}" for i in range(6))
        return CaseSet(
            description=Description(name="raw", version="1", classes=("background", "thing"), channels=("grey",),
                                    raters=kind, rater_names=("first", "second", "third")),
            pixels=ArrayPixels(np.arange(384).reshape(6, 1, 8, 8).astype(np.uint16), masks),
            ids=ids, subjects=ids, present=np.ones((6, 3), bool))
    def load_sorted(config, folder):
        return load_anonymous(config, folder, Raters.RANKED)
"""


@pytest.fixture
def raw(make_distribution):
    make_distribution("mrbench-raw", {"raw_data": RAW}, {"raw": "raw_data"})


def test_anonymous_raters_have_summaries_and_no_columns(mrbench, raw):
    result = mrbench("agreement", "anonymous", "--metric", "ged", "--samples", "2")
    assert "a column is nobody" in result.output
    assert "Two raters" in result.output
    assert not any(word in result.output for word in ("Each rater", "Area ranks", "Dice, mean", "first", "slot"))
    found = document(mrbench("agreement", "anonymous", "--metric", "ged", "--samples", "2", "--format", "json"))
    assert found["raters"] is None
    assert found["duplicates"]["raters"] is None
    assert set(found["classes"][0]) == {"name", "pairs"}


def test_ranked_raters_are_called_virtual(mrbench, raw):
    result = mrbench("agreement", "sorted", "--metric", "ged", "--samples", "2")
    assert "virtual raters: the masks of each case sorted by area, no persons" in result.output
    assert "every image is its own subject" in result.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nothing",), "unknown data set 'nothing'"),
        (("phantom", "--metric", "nope"), "unknown metric 'nope'"),
        (("phantom", "--picture"), "--picture needs a folder to write to\n  next:     --out FOLDER --picture"),
        (("phantom", *SMALL, "--fold", "7"), "unknown fold '7' of split 'strict'"),
        (("phantom", *SMALL, "--split", "x", "--part", "test"), "unknown split 'x' of data set 'phantom'"),
        (("phantom", "--set", "nope=1"), "unknown option 'nope' of phantom"),
        (("bubil-mri",), "data set 'bubil-mri' is not there"),
    ],
)
def test_what_does_not_fit_is_said(mrbench, words, message):
    result = mrbench("agreement", *words)
    assert result.exit_code == 2
    assert message in result.stderr


def test_the_protocols_are_those_of_scoring():
    from mrbench.cli.agreement import PROTOCOLS
    from mrbench.metrics import protocol

    assert sorted(protocol.PROTOCOLS) == list(PROTOCOLS)


def test_help_loads_nothing_heavy():
    import subprocess
    import sys

    code = (
        "import sys; from click.testing import CliRunner; from mrbench.cli import group\n"
        "CliRunner().invoke(group, ['agreement', '--help'])\n"
        "assert not {'numpy', 'torch', 'matplotlib', 'scipy'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
