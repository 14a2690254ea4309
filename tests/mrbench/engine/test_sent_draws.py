"""Draws that another process counts: the same file bit for bit, and whatever goes wrong on either side is told."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mrbench.data.case import Case
from mrbench.engine.predict import count
from mrbench.engine.predictions import PredictionWriter, read_tables
from mrbench.engine.scoring import SCORER, CountingRequest, Scorer, count_elsewhere
from mrbench.errors import DataError
from mrbench.interfaces.draw import Draw, DrawKind, one_hot
from mrbench.registry import discover

CLASSES = 3


@pytest.fixture
def scorer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scorer]:
    """A scoring process that is handed to this one as a driver does."""
    found = Scorer(discover().plugins["metric"], ())
    monkeypatch.setenv(SCORER, str(found.connection.fileno()))
    yield found
    found.close()


def request_of(path: Path) -> CountingRequest:
    return CountingRequest("a cell", str(path), CLASSES)


def case_of(raters: int = 2, name: str = "a") -> Case:
    noise = np.random.default_rng(5)
    masks = noise.integers(0, CLASSES, (raters, 5, 7)).astype(np.uint8)
    return Case(name, "someone", np.zeros((1, 5, 7), np.float32), masks, np.ones(raters, bool), spacing=(0.1, 1 / 3))


def draws(dtype: str = "float32") -> list[Draw]:
    """Two samples, a prediction of rater 1 that is no array of rows in order, and a consensus."""
    noise = np.random.default_rng(7)
    found = noise.random((3, CLASSES, 5, 7)).astype(dtype)
    found /= found.sum(axis=1, keepdims=True)
    turned = np.asfortranarray(found[2])
    labels = one_hot(noise.integers(0, CLASSES, (5, 7)), CLASSES)
    return [
        *(Draw(DrawKind.SAMPLE, one) for one in found[:2]),
        Draw(DrawKind.RATER, turned, 1),
        Draw(DrawKind.CONSENSUS, labels),
    ]


def trials(case: Case) -> list[tuple[np.ndarray, list[Draw]]]:
    return [(case.present, draws()), (np.array([True, False]), draws("float64"))]


def void_case_of(name: str) -> Case:
    """A case of which nobody says what a corner is; of one it is all judged."""
    case = case_of(name=name)
    valid = np.ones(case.masks.shape[1:], bool)
    valid[:2, :3] = False
    return replace(case, valid=valid) if name == "b" else case


def test_what_is_counted_elsewhere_is_what_is_counted_here_bit_for_bit(tmp_path: Path, scorer: Scorer):
    with PredictionWriter(tmp_path / "here.h5") as writer:
        for name in ("a", "b"):
            case = void_case_of(name)
            own = trials(case)
            counted = [
                count(case.masks, truth, CLASSES, case.spacing, drawn, case.valid, in_turn=True) for truth, drawn in own
            ]
            writer.add(case.id, case.subject, counted)
        writer.add("nobody", "someone", [])
    with count_elsewhere(replace(request_of(tmp_path / "there.h5"), in_turn=True), ()) as counted:
        for name in ("a", "b"):
            counted.add(void_case_of(name), trials(void_case_of(name)))
        counted.add(case_of(name="nobody"), [])
    assert (tmp_path / "there.h5").read_bytes() == (tmp_path / "here.h5").read_bytes()
    assert scorer.runs


def test_what_cannot_be_counted_is_raised_here_and_the_process_stays(tmp_path: Path, scorer: Scorer):
    for _ in range(2):
        with (
            pytest.raises(DataError, match="too many raters"),
            count_elsewhere(request_of(tmp_path / "p.h5"), ()) as counted,
        ):
            counted.add(case_of(63), [(np.ones(63, bool), draws())])
    with count_elsewhere(request_of(tmp_path / "whole.h5"), ()) as counted:
        counted.add(case_of(), trials(case_of()))
    assert [name for name, _, _ in read_tables(tmp_path / "whole.h5")] == ["a"]
    assert scorer.runs


def test_a_file_that_cannot_be_written_is_told_before_anything_is_drawn(tmp_path: Path, scorer: Scorer):
    with pytest.raises(OSError, match="nowhere"), count_elsewhere(request_of(tmp_path / "nowhere" / "p.h5"), ()):
        pytest.fail("there is nothing to draw for")
    assert scorer.runs


def test_a_disk_that_fills_up_is_told_by_its_number(tmp_path: Path):
    (tmp_path / "p.h5").symlink_to("/dev/full")
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    with pytest.raises(OSError) as caught, count_elsewhere(request_of(tmp_path / "p.h5"), ()) as counted:  # noqa: PT011
        counted.add(case_of(), trials(case_of()))
    assert caught.value.errno is not None


@pytest.mark.parametrize("error", [EOFError, BrokenPipeError, ConnectionResetError, SystemExit])
def test_what_a_plugin_raises_while_it_draws_is_raised_and_waited_for_by_nobody(
    tmp_path: Path, error: type[BaseException]
):
    def broken() -> Iterator[Draw]:
        yield draws()[0]
        raise error("of the plugin's own")

    case = case_of()
    with (
        pytest.raises(error, match="of the plugin's own"),
        count_elsewhere(request_of(tmp_path / "p.h5"), ()) as counted,
    ):
        counted.add(case, [(case.present, broken())])


def test_a_process_that_is_killed_meanwhile_is_told(tmp_path: Path, scorer: Scorer):
    from mrbench.errors import MrbenchError

    with (
        pytest.raises(MrbenchError, match="ended without an answer"),
        count_elsewhere(request_of(tmp_path / "p.h5"), ()) as counted,
    ):
        counted.add(case_of(), trials(case_of()))
        scorer.process.kill()
        scorer.process.wait()
        for _ in range(2000):
            counted.add(case_of(), trials(case_of()))
    assert os.environ[SCORER]
