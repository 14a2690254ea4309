"""What a number is a function of: changed code is computed anew and named; how cells run side by side is no matter."""

import gzip
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from conftest import TINY, write_distribution

CARD = """
from mrbench import MethodCard, hookimpl
MRBENCH_API = "2"

@hookimpl
def mrbench_methods():
    return [MethodCard(name="cut", code="cutting.fuse:fuse", gives="consensus", kind="fusion")]
"""
FUSE = '''
from cutting.share import SHARE
from mrbench import Trial

def fuse(masks, present, n, noise):
    """Where so large a share of the raters agrees."""
    return Trial(consensus=(masks[present] == 1).mean(axis=0) > SHARE)
'''
RUN = ("run", "--dataset", "phantom", *TINY, "--fold", "0", "--samples", "4", "--out", "out")


@pytest.fixture
def cutting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of an installed package with a fusion."""
    root = write_distribution(tmp_path / "site", "cutting-plugin", {}, {"cutting": "cutting"})
    (root / "cutting").mkdir()
    (root / "cutting" / "__init__.py").write_text(CARD)
    (root / "cutting" / "fuse.py").write_text(FUSE)
    (root / "cutting" / "share.py").write_text("SHARE = 0.2\n")
    monkeypatch.syspath_prepend(str(root))
    monkeypatch.setenv("PYTHONPATH", f"{root}:{os.environ.get('PYTHONPATH', '')}")
    yield root / "cutting"
    for name in [name for name in sys.modules if name.partition(".")[0] == "cutting"]:
        del sys.modules[name]


def metrics_of(folder: str) -> list[float]:
    return [
        json.loads(path.read_text())["metrics"]["ged"]["value"] for path in Path(folder).glob("cells/**/record.json")
    ]


def test_an_edited_plugin_is_computed_anew_and_what_changed_is_named(mrbench: Callable[..., Result], cutting: Path):
    words = (*RUN, "--method", "cut")
    assert mrbench(*words).exit_code == 0
    first = metrics_of("out")

    (cutting / "share.py").write_text('"""How large."""\nSHARE = 0.2  # a fifth\n')
    assert "finished before, kept" in mrbench(*words).stderr, "a comment changes nothing"
    assert "other code" not in mrbench("show", "last", "--out", "out").stdout

    (cutting / "share.py").write_text("SHARE = 0.9\n")
    assert "other code than this: share.py of cutting: all rows" in mrbench("show", "last", "--out", "out").stdout
    again = mrbench(*words)
    line = "cutting-plugin:cut on phantom: computed anew, for the cells there are of other code than this: share.py of"
    assert line in again.stderr
    assert "kept" not in again.stderr
    assert "other code" not in again.stdout
    mrbench(*words[:-3], "fresh", "--method", "cut")
    assert set(metrics_of("out")) == {*first, *metrics_of("fresh")}
    assert first != metrics_of("fresh")
    assert len(metrics_of("out")) == 2, "the older cell stays"


def test_code_that_cannot_be_read_is_told_of_before_anything_is_computed(mrbench: Callable[..., Result], cutting: Path):
    (cutting / "unused.py").write_text("def f(:\n")
    result = mrbench(*RUN, "--method", "cut")
    assert result.exit_code != 0
    assert "the code of 'cutting.unused' cannot be read" in result.stderr
    assert not Path("out/cells").exists()


def cases_of(folder: str) -> list[bytes]:
    return [gzip.decompress(path.read_bytes()) for path in sorted(Path(folder).glob("cells/**/cases.csv.gz"))]


@pytest.mark.slow
def test_numbers_are_the_same_whatever_jobs_and_the_environment_say(
    mrbench: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
):
    methods = ("--method", "unet-majority", "--method", "prob-unet", "--preset", "quick", "--set", "epochs=1")
    for folder, threads, jobs in (("one", "1", "1"), ("two", "2", "2"), ("auto", "", "auto")):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        assert mrbench(*RUN[:-1], folder, *methods, "--jobs", jobs).exit_code == 0
    assert cases_of("one") == cases_of("two") == cases_of("auto")
    assert len(cases_of("one")) == 2


@pytest.mark.slow
def test_threads_are_a_training_of_their_own_and_stand_in_the_command(mrbench: Callable[..., Result]):
    from stored_runs import command_of

    words = (*RUN, "--method", "unet-majority", "--preset", "quick", "--set", "epochs=1")
    assert mrbench(*words).exit_code == 0
    result = mrbench(*words, "--threads", "2")
    assert "2 threads: all rows" in result.stdout
    records = [json.loads(path.read_text()) for path in Path("out").glob("cells/**/record.json")]
    assert sorted(record["environment"]["threads"] for record in records) == [1, 2]
    assert sorted("--threads 2" in command_of(record) for record in records) == [False, True]
    assert all("reproduce" not in record for record in records)
