"""Cells that are computed anew because the code changed since: which they are, and what changed."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mrbench.engine.cell import CellSpec
from mrbench.engine.code import differing, in_words
from mrbench.engine.equivalence import known_code
from mrbench.errors import MrbenchError
from mrbench.files import read_json
from mrbench.registry import Registry


def superseded(specs: Iterable[CellSpec], results: Path, registry: Registry) -> Iterator[str]:
    """A line for each method on each data set of which cells of other code are there, and one must be computed.

    Args:
        specs: the cells to be computed.
        results: the results folder.
        registry: with their methods.
    """
    wanted: dict[tuple[str, str], list[CellSpec]] = {}
    for spec in specs:
        if spec.kind != "external":
            wanted.setdefault((spec.method, spec.dataset), []).append(spec)
    for (method, dataset), own in wanted.items():
        found = (_before(spec, results) for spec in own)
        before = next((files for files in found if files is not None), None)
        if before is not None:
            now = known_code(registry.get("method", method)).files
            files = in_words(differing(before, now.drawn)) if before else "which was not recorded"
            yield f"{method} on {dataset}: computed anew, for the cells there are of other code than this: {files}"


def _before(spec: CellSpec, results: Path) -> Mapping[str, str] | None:
    """Digests by file of the newest cell that differs from one in its code alone; None where there is none."""
    beside = spec.folder(results).parent.parent.glob(f"*/{spec.place}/record.json")
    for path in sorted(beside, key=lambda path: path.stat().st_mtime, reverse=True):
        try:
            record = read_json(path)
            if _is_same(CellSpec.from_json(record["spec"]), spec):
                files: dict[str, str] = record.get("code", {}).get("files", {})
                return files
        except (MrbenchError, OSError, ValueError, KeyError, TypeError, AttributeError):
            continue  # of another version, or damaged: no cell of this method run
    return None


def _is_same(found: CellSpec, spec: CellSpec) -> bool:
    code: dict[str, Any] = {name: getattr(spec, name) for name in ("training_code", "prediction_code")}
    return replace(found, **code).digest == spec.digest
