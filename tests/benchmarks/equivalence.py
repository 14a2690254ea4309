"""Does changed code compute the same? Trains methods a few dozen steps under old and new code and compares every bit.

Where weights, draws and scores are equal, the pair of digests goes to the list that keeps the rows of old code what
they are; where they are not, the numbers are told and the exit code is 1.

Run: python tests/benchmarks/equivalence.py [--commit COMMIT] [--method NAME ...]
"""

import argparse
import csv
import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import h5py
import numpy as np
import torch

from mrbench.engine.equivalence import EQUIVALENT
from mrbench.files import write_json
from mrbench.registry import discover

ROOT = Path(__file__).resolve().parents[2]
SMALL = (
    "--set",
    "phantom.subjects=9",
    "--set",
    "phantom.size=32",
    "--preset",
    "quick",
    "--fold",
    "0",
    "--samples",
    "4",
)
"""About twenty slices for a training, and four draws for each of the cases."""

STEPS = {"training": "training_code", "prediction": "prediction_code"}
"""Of a cell, with the names of their codes in its specification."""

Pair = dict[str, str]


@dataclass(frozen=True)
class Computed:
    """What a method left under one code.

    Attributes:
        folder: of its cell; ``training``: of its training, None of a fusion.
    """

    folder: Path
    training: Path | None

    @property
    def record(self) -> dict[str, Any]:
        """The record of the cell."""
        return json.loads((self.folder / "record.json").read_text())


def computed(
    paths: Sequence[Path], methods: Sequence[str], results: Path, more: Sequence[str] = ()
) -> dict[str, Computed]:
    """Runs methods with the code in some folders, which are imported from before all others.

    Raises:
        SystemExit: a cell that is not ok.
    """
    # -P: else the code in the current folder would come before all of them.
    words = [sys.executable, "-P", "-m", "mrbench", "run", "--dataset", "phantom", *SMALL, "--out", str(results), *more]
    words += [word for name in methods for word in ("--method", name)]
    before = [str(path) for path in paths] + [os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, before))}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(
            f"the run under {paths[0]} ended with code {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    found = {}
    for path in results.glob("cells/*/*/*/*/record.json"):
        spec = json.loads(path.read_text())["spec"]
        family = spec["family"].replace(":", "--")
        training = next(results.glob(f"trainings/*/{family}/*/{path.parent.name}"), None)
        found[spec["method"]] = Computed(path.parent, training if spec["kind"] == "method" else None)
    return found


def differences(old: Computed, new: Computed) -> Iterator[tuple[str, str]]:
    """Each step that did not give the same bits, with what differs."""
    if old.training and new.training:
        yield from (("training", text) for text in _losses(old.training / "curves.csv", new.training / "curves.csv"))
        yield from (("training", text) for text in _weights(old.training / "weights", new.training / "weights"))
    yield from (("prediction", text) for text in _draws(old.folder / "predictions.h5", new.folder / "predictions.h5"))


def _losses(old: Path, new: Path) -> Iterator[str]:
    # Weights alone would not do: the steps of Adam are the same where a loss is scaled.
    before, after = (
        [{name: text for name, text in row.items() if name != "seconds"} for row in _rows(path)] for path in (old, new)
    )
    changed = sum(one != other for one, other in zip_longest(before, after))
    if changed:
        yield f"{changed} of {len(before)} epochs have other losses"


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _weights(old: Path, new: Path) -> Iterator[str]:
    before, after = (
        {f"{path.stem}.{key}": value for path in sorted(folder.glob("*.pt"))
         for key, value in torch.load(path, weights_only=True, map_location="cpu").items()}
        for folder in (old, new)
    )  # fmt: skip
    if {n: (v.shape, v.dtype) for n, v in before.items()} != {n: (v.shape, v.dtype) for n, v in after.items()}:
        yield f"weights are others: {len(before)} tensors, then {len(after)}"
        return
    gaps = {
        name: float((value.double() - after[name].double()).abs().max())
        for name, value in before.items()
        if value.numpy().tobytes() != after[name].numpy().tobytes()
    }
    if gaps:
        name, gap = max(gaps.items(), key=lambda item: item[1])
        yield f"{len(gaps)} of {len(before)} weight tensors differ, by up to {gap:.3g} ({name})"


def _draws(old: Path, new: Path) -> Iterator[str]:
    before, after = _arrays(old), _arrays(new)
    others = [name for name in {*before, *after} if not _same(before.get(name), after.get(name))]
    if others:
        yield f"{len(others)} of {len(before)} arrays of draws and counts differ ({sorted(others)[0]})"


def _arrays(path: Path) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, one: found.update({name: one[()]}) if isinstance(one, h5py.Dataset) else None)
    return found


def _same(old: np.ndarray | None, new: np.ndarray | None) -> bool:
    if old is None or new is None or old.dtype != new.dtype or old.shape != new.shape:
        return False
    return bool(np.array_equal(old, new)) if old.dtype.hasobject else old.tobytes() == new.tobytes()


def scores_equal(old: Computed, new: Computed) -> dict[str, bool]:
    """For each metric of both, are the lines of all cases the same?"""
    before, after = (_lines(one.folder / "cases.csv.gz") for one in (old, new))
    return {name: before[name] == after[name] for name in before if name in after}


def _lines(path: Path) -> dict[str, list[str]]:
    with gzip.open(path, "rt") as file:
        header, *lines = file.read().splitlines()
    column, found = header.split(",").index("metric"), dict[str, list[str]]()
    for line in lines:
        found.setdefault(line.split(",")[column], []).append(line)
    return found


def compare(old: Mapping[str, Computed], new: Mapping[str, Computed]) -> tuple[list[Pair], list[str]]:
    """Pairs of digests of code that computed the same, and a line on each step of a method that did not."""
    pairs: list[Pair] = []
    lines: list[str] = []
    for method in (name for name in new if name in old):
        codes = [one[method].record["spec"] for one in (old, new)]
        faults = list(differences(old[method], new[method]))
        lines += [f"{method}: {text}" for _, text in faults]
        wrong = {step for step, _ in faults}
        for step, name in STEPS.items():
            before, after = (code.get(name, "") for code in codes)
            # Draws from other weights tell nothing of the code that draws.
            if step not in wrong and "training" not in wrong and before and before != after:
                pairs.append({"method": method, "step": step, "old": before, "new": after})
    scored, others = _score_pairs(old, new)
    return pairs + scored, lines + others


def _score_pairs(old: Mapping[str, Computed], new: Mapping[str, Computed]) -> tuple[list[Pair], list[str]]:
    """Of metrics, judged where the draws of a method are the same."""
    equal: dict[str, bool] = {}
    codes: dict[str, tuple[str, str]] = {}
    for method in (name for name in new if name in old and not list(differences(old[name], new[name]))):
        before, after = (one[method].record["scoring"] for one in (old, new))
        for metric, same in scores_equal(old[method], new[method]).items():
            equal[metric] = equal.get(metric, True) and same
            codes[metric] = before.get(metric, ""), after.get(metric, "")
    lines = [f"metric {metric}: its scores of the same draws differ" for metric, same in equal.items() if not same]
    changed = [metric for metric, (before, after) in codes.items() if equal[metric] and before and before != after]
    return [{"method": m, "step": "score", "old": codes[m][0], "new": codes[m][1]} for m in changed], lines


def add(pairs: Sequence[Pair], path: Path = EQUIVALENT) -> int:
    """Adds pairs to the list; how many are new."""
    known = json.loads(path.read_text())["pairs"]
    new = [pair for pair in pairs if pair not in known]
    if new:
        write_json(path, {"pairs": known + new})
    return len(new)


def checked_out(commit: str, folder: Path) -> list[Path]:
    """The code of a commit below a folder; the folders that it is imported from."""
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
        packed.extractall(folder, filter="data")
    return [folder, folder / "plugins", folder / "datasets"]


def _last_change() -> str:
    words = ["git", "log", "-1", "--format=%H", "--", str(EQUIVALENT)]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


OF_RANKED_RATERS = {"unet-ranks"}
"""Methods that refuse the phantom, whose raters are identified."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commit", help="the old code [default: the last commit that changed the list]")
    parser.add_argument(
        "--method", action="append", help="compare this one; repeat for several [default: all built in]"
    )
    asked = parser.parse_args()
    plugins = discover().of_kind("method")
    built_in = [plugin.key for plugin in plugins if plugin.distribution == "mrbench"]
    methods = asked.method or [name for name in built_in if name not in OF_RANKED_RATERS]
    commit = asked.commit or _last_change()
    with TemporaryDirectory(prefix="mrbench-") as work:
        folder = Path(work)
        (folder / "old").mkdir()
        old = computed(checked_out(commit, folder / "old"), methods, folder / "results-old")
        new = computed([ROOT, ROOT / "plugins", ROOT / "datasets"], methods, folder / "results-new")
        pairs, lines = compare(old, new)
    print(
        f"{len(new)} methods under {commit[:12]} and under the code of here: {add(pairs)} pairs are new in {EQUIVALENT}"
    )
    for line in lines:
        print(f"not equal: {line}")
    return int(bool(lines))


if __name__ == "__main__":
    sys.exit(main())
