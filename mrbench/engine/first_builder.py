"""The process that builds each method of a run once: ``python -P -m mrbench.engine.first_builder``.

The order comes on standard input. For each method, one line goes to the original standard output: ``null`` where it can
be built, else the parts of an error. What plugins print goes to standard error.
"""

import json
import os
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from mrbench.data.description import Description
from mrbench.data.loading import configured
from mrbench.engine.given import check_given
from mrbench.engine.supervisor import leave_with_supervisor
from mrbench.errors import MrbenchError, NotApplicableError, UsageError
from mrbench.interfaces.fusion import bound
from mrbench.places import of_error, told
from mrbench.registry import Plugin, Registry, discover


def answer(registry: Registry, build: Mapping[str, Any]) -> dict[str, Any] | None:
    """The parts of the error that a method's constructor or stages raise; None where they raise nothing."""
    plugin = registry.get("method", build["method"])
    try:
        construct(plugin, build["options"], Description.from_json(build["description"]))
    except (KeyboardInterrupt, MemoryError, NotApplicableError):
        return None  # of the machine, or no fault: the cell's row says so
    except BaseException as error:
        return _parts(error, plugin)
    return None


def construct(plugin: Plugin[Any], options: Mapping[str, Any], description: Description) -> None:
    """Builds a method without memory for its weights, where its constructor can; else on the CPU.

    Raises:
        Exception: whatever the plugin does wrong; a class that lacks what its card gives is not built.
    """
    factory, config = plugin.load(), configured(plugin, options)
    if plugin.card.wraps:
        factory(config, description)
        return
    if plugin.card.kind == "fusion":
        bound(factory, config, description)
        return
    if isinstance(factory, type):
        check_given(factory, plugin.card)
    try:
        with _meta():
            _build(factory, config, description)
    except Exception:  # a value may have been asked for, and weights without memory have none
        _build(factory, config, description)


def _build(factory: Any, config: Any, description: Description) -> None:
    from mrbench.engine.hidden import refuse_hidden
    from mrbench.engine.owned import check_owned

    method = factory(config, description)
    refuse_hidden(method)
    for stage in method.stages():
        check_owned(method, stage, [parameter for group in stage.groups for parameter in group.parameters])


def _meta() -> AbstractContextManager[Any]:
    try:
        import torch
    except ImportError:
        return nullcontext()
    return torch.device("meta")


def _parts(error: BaseException, plugin: Plugin[Any]) -> dict[str, Any]:
    if not isinstance(error, MrbenchError):
        return {"what": told(error, plugin.modules)}
    place = error.place or of_error(error, plugin.modules)
    what = error.what + (f" ({place})" if place else "")
    parts = {"what": what, "expected": error.expected, "found": error.found, "hint": error.hint}
    return parts | {"usage": isinstance(error, UsageError)}


def main() -> None:
    """Reads the order and answers for one method after another."""
    leave_with_supervisor()
    answers = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)
    order = json.load(sys.stdin)
    registry = discover(files=map(Path, order["files"]))
    for build in order["builds"]:
        answers.write(json.dumps(answer(registry, build)) + "\n")


if __name__ == "__main__":
    main()
