"""How many cells run side by side where nobody says."""

import pytest

from mrbench.engine import jobs
from mrbench.engine.jobs import CELL_BYTES, idle_cores, side_by_side


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch):
    """A machine of one's own: cores, free bytes, GPUs."""

    def make(cores: int = 8, free: int | None = None, gpus: int = 0) -> None:
        monkeypatch.setattr(jobs, "cores", lambda: cores)
        monkeypatch.setattr(jobs, "free_memory", lambda: free)
        monkeypatch.setattr(jobs, "visible_gpus", lambda: [str(n) for n in range(gpus)])

    return make


@pytest.mark.parametrize(
    ("asked", "has", "device", "threads", "expected"),
    [
        (3, {"cores": 2}, "auto", 1, 3),
        ("auto", {"cores": 8}, "auto", 1, 8),
        ("auto", {"cores": 8}, "cpu", 3, 2),
        ("auto", {"cores": 2}, "cpu", 4, 1),
        ("auto", {"cores": 8, "free": 5 * CELL_BYTES + 1}, "cpu", 1, 5),
        ("auto", {"cores": 8, "free": 0}, "cpu", 1, 1),
        ("auto", {"cores": 8, "gpus": 2}, "auto", 1, 2),
        ("auto", {"cores": 8, "gpus": 2}, "cpu", 1, 8),
    ],
)
def test_as_many_as_cores_memory_or_gpus_allow(machine, asked, has, device, threads, expected):
    machine(**has)
    assert side_by_side(asked, device, threads).jobs == expected


def test_the_reason_is_said_where_nobody_asked_for_a_number(machine):
    machine(cores=8, free=3 * CELL_BYTES)
    assert side_by_side("auto", "cpu", 1).told == (
        "up to 3 at a time (4.5 GiB free, 1.5 GiB expected of each; --jobs says otherwise)"
    )
    assert side_by_side("auto", "cpu", 4).told == "up to 2 at a time (8 cores, 4 threads each; --jobs says otherwise)"
    assert side_by_side(1, "cpu", 1).told == "one at a time"


def test_threads_are_named_where_fewer_trainings_than_cores_wait(machine):
    machine(cores=8)
    assert "1 cell waits and there are 8 cores: --threads 8 may" in idle_cores(1, 1, "cpu")
    assert "3 cells wait and there are 8 cores: --threads 2 may" in idle_cores(3, 1, "cpu")
    assert [idle_cores(waiting, threads, "cpu") for waiting, threads in ((0, 1), (8, 1), (4, 2), (1, 8))] == [""] * 4
    machine(cores=8, gpus=1)
    assert idle_cores(1, 1, "auto") == ""
