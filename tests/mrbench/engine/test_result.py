"""A result: what its record says, whether it lies in a folder or not."""

from typing import Any

import pytest
from rows_by_hand import PHASES, result_of

from mrbench.engine.cell import Status
from mrbench.engine.result import Result
from mrbench.metrics.protocol import STRICT


def with_profile(**profile: Any) -> Result:
    return result_of(record={"profile": profile})


def test_a_failure_is_told_in_one_line():
    failed = result_of(fold=2, seed=1, status=Status.TIMEOUT)
    assert (failed.finished, failed.failure) == (False, "fold2-seed1 timeout: what went wrong; in detail")
    assert result_of().finished


def test_what_left_no_record_tells_nothing():
    nothing = result_of(status=Status.INTERRUPTED)
    assert (nothing.versions, nothing.environment, nothing.written, nothing.profile, nothing.faults) == (
        {},
        {},
        "",
        {},
        (),
    )
    assert (nothing.seconds("predict"), nothing.peak_memory_mib, nothing.alone) == (None, None, True)


def test_facts_are_those_of_the_record():
    found = result_of(record={
        "versions": {"mrbench": "1"}, "written": "2026", "environment": {"shared_device": True},
        "metric_faults": {"x": "metric 'x' raised", "y": "so did y"},
    })  # fmt: skip
    assert (found.versions, found.written, found.alone) == ({"mrbench": "1"}, "2026", False)
    assert found.faults == ("metric 'x' raised", "so did y")


def test_times_are_those_of_the_phases_that_there_were():
    found = with_profile(phases={**PHASES, "fit": {"seconds": 3, "peak_memory_mib": 40}})
    assert [found.seconds(phase) for phase in ("fit", "predict", "score")] == [3.0, 1.0, None]
    assert found.peak_memory_mib == 40


def test_a_training_of_another_cell_that_shared_its_device_has_no_time():
    found = with_profile(phases={**PHASES, "fit": PHASES["predict"]}, trained_on_shared_device=True)
    assert (found.seconds("fit"), found.seconds("predict")) == (None, 1.0)


def test_what_left_no_files_has_no_scores():
    with pytest.raises(ValueError, match="proseg on phantom fold0-seed0 has no scores: failed"):
        result_of(status=Status.FAILED).scores({}, STRICT)
