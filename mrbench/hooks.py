"""The hooks that a plugin module may implement, called by pluggy."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from mrbench.records import DatasetRecord, MethodRecord, MetricRecord

PROJECT = "mrbench"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def mrbench_methods() -> Sequence["MethodRecord"]:  # type: ignore[empty-body]
    """The methods and fusions that this plugin provides."""


@hookspec
def mrbench_datasets() -> Sequence["DatasetRecord"]:  # type: ignore[empty-body]
    """The data sets that this plugin provides."""


@hookspec
def mrbench_metrics() -> Sequence["MetricRecord"]:  # type: ignore[empty-body]
    """The metrics that this plugin provides."""
