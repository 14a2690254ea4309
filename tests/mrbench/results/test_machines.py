"""Rows that other versions of torch or other processors computed say so."""

from dataclasses import replace
from typing import Any

import pytest
from stored_runs import StoredCell, spec_of

from mrbench.cards import Capability
from mrbench.engine.cell import Status
from mrbench.engine.result import Result
from mrbench.results.machines import with_machines
from mrbench.results.method_run import MethodRun
from mrbench.results.table import Row

DESCRIPTION = {"raters": "identified"}


def row(method: str, *cells: tuple[str, str], **more: Any) -> Row:
    """A row whose cells were computed with such a torch and capability."""
    results = tuple(
        Result(spec_of(StoredCell(method, fold=fold, spec=more)), Status.OK, "", _record(*cell))
        for fold, cell in enumerate(cells)
    )
    return replace(Row.of(MethodRun(results, DESCRIPTION), {}), caveats=("first",))


def _record(torch: str, capability: str) -> dict[str, Any]:
    return {"versions": {"torch": torch}, "environment": {"cpu_capability": capability, "shared_device": False}}


def marks(*rows: Row) -> list[list[str]]:
    return [list(found.caveats[1:]) for found in with_machines(rows)]


def test_rows_of_one_machine_have_no_mark():
    assert marks(row("tab", ("2.9", "AVX512")), row("pionono", ("2.9", "AVX512"))) == [[], []]


def test_each_row_says_what_not_all_share():
    found = marks(row("tab", ("2.9", "AVX512")), row("pionono", ("2.9", "AVX2"), ("2.8", "AVX2")))
    assert found == [
        ["torch 2.9", "processor capability AVX512"],
        ["torch 2.8 and 2.9", "processor capability AVX2"],
    ]


@pytest.mark.parametrize("other", [("", ""), ("2.9", "")])
def test_what_was_not_recorded_is_not_compared(other: tuple[str, str]):
    assert marks(row("tab", ("2.9", "AVX2")), row("pionono", other)) == [[], []]


def test_fusions_compute_without_torch():
    people = row("staple", ("2.8", ""), kind="fusion", capabilities=(Capability.CONSENSUS,))
    assert marks(row("tab", ("2.9", "AVX2")), people) == [[], []]
