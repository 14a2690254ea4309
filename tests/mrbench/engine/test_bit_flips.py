"""One flipped bit in any stored file is told of, harmless or computed again; it is never read as another number."""

import random
from collections.abc import Mapping
from pathlib import Path

import pytest
from bit_flips import AGAIN, HARMLESS, SILENT, TOLD, Kind, flipped, kinds, outcome

KINDS = ("record", "cases", "predictions", "curves", "training", "weights", "checkpoint", "run", "entry")


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Kind]:
    return kinds(tmp_path_factory.mktemp("flips"))


def test_every_kind_of_stored_file_is_tried(every: Mapping[str, Kind]):
    assert tuple(every) == KINDS


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [7, pytest.param(120, marks=pytest.mark.slow)])
def test_one_flipped_bit_is_never_another_number(every: Mapping[str, Kind], kind: str, count: int):
    counts = flipped(every[kind], count, random.Random(f"{kind} {count}"))
    assert counts[SILENT] == 0
    assert set(counts) <= ({AGAIN} if kind == "checkpoint" else {TOLD, HARMLESS})


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_cut_short_is_never_another_number(every: Mapping[str, Kind], kind: str):
    path = every[kind].files[-1]
    right, content = every[kind].read(), path.read_bytes()
    for length in (0, 1, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:length])
        assert outcome(every[kind], path, right) == (AGAIN if kind == "checkpoint" else TOLD)
        path.write_bytes(content)


@pytest.mark.parametrize("kind", ["record", "training", "run"])
@pytest.mark.parametrize("digit", ["1", "7"])
def test_a_changed_digit_of_a_number_is_told(every: Mapping[str, Kind], kind: str, digit: str):
    (path,) = every[kind].files
    right, content = every[kind].read(), path.read_text()
    at = [place for place, letter in enumerate(content) if letter.isdigit() and letter != digit]
    for place in random.Random(kind).sample(at, 20):
        path.write_text(content[:place] + digit + content[place + 1 :])
        assert outcome(every[kind], path, right) in (TOLD, HARMLESS)
    path.write_text(content)


def test_what_lies_beside_is_no_part_of_a_cell(every: Mapping[str, Kind], tmp_path: Path):
    right, (path,) = every["cases"].read(), every["cases"].files
    (path.parent / "notes.txt").write_text("mine")
    assert every["cases"].read() == right
