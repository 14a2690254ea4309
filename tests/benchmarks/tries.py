"""The tries of the analysis plan: eight trainings of each method by random options, judged on development data.

Run: python tests/benchmarks/tries.py --out RESULTS --data FOLDER [--table FILE] [ROW ...]

A row is a method, or a method with options: per-rater,tied=true. A try that is finished in RESULTS is not trained
again. With --table the tries of the rows go to a CSV file, those that failed too.
"""

import argparse
import csv
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

import mrbench
from mrbench.comparison.questions import QUESTIONS, Question
from mrbench.configuration import as_text, flat
from mrbench.data.loading import configured
from mrbench.engine.cell import Status
from mrbench.errors import UsageError
from mrbench.files import replaced
from mrbench.registry import discover
from mrbench.seeds import derive_noise

TRIES = 8
SAMPLES = 16
EPOCHS = 10
RATES = 0.0003, 0.03
FACTORS = 0.1, 10.0


@dataclass(frozen=True)
class Try:
    """One training, and its number for one question; without it where the training failed."""

    row: str
    number: int
    question: str
    dataset: str
    options: str
    status: str
    metric: str
    value: str


def drawn(row: str, number: int) -> dict[str, Any]:
    """The options of a try, by dotted name: epochs, a learning rate, and a factor for each weight of the loss.

    A weight of 0 stays 0. What has a rate under a name of its own keeps it.
    """
    values, noise = compact(row), derive_noise("tries", row, number)
    rate = _log_uniform(noise, *RATES)
    weights = {name: value for name, value in values.items() if _is_weight(name, value)}
    return {
        **{name: EPOCHS for name in values if _leaf(name) == "epochs"},
        **{name: rate for name in values if _leaf(name) == "learning_rate"},
        **{name: _rounded(value * _log_uniform(noise, *FACTORS)) for name, value in weights.items()},
    }


@cache
def compact(row: str) -> dict[str, Any]:
    """Every option of a row of preset ``compact``, by dotted name.

    Raises:
        UsageError: the method has no such preset.
    """
    method, options = _parts(row)
    plugin = discover().get("method", method)
    if "compact" not in plugin.card.presets:
        raise UsageError(
            f"method {method} has no tries", expected="a preset compact", found=", ".join(plugin.card.presets)
        )
    return flat(configured(plugin, flat(plugin.card.presets["compact"]) | options).values())


def _parts(row: str) -> tuple[str, dict[str, str]]:
    method, *options = row.split(",")
    return method, dict(option.split("=", 1) for option in options)


def _leaf(name: str) -> str:
    return name.rpartition(".")[2]


def _is_weight(name: str, value: Any) -> bool:
    whose, leaf = name.rpartition(".")[::2]
    return isinstance(value, float) and value > 0 and (leaf.endswith("_weight") or whose == "weights")


def _log_uniform(noise: Any, low: float, high: float) -> float:
    return _rounded(low * (high / low) ** noise.uniform())


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")


def questions(row: str) -> dict[str, list[Question]]:
    """By development data set, the questions that a row answers."""
    gives = discover().get("method", _parts(row)[0]).card.gives.split()
    asked: dict[str, list[Question]] = {"lidc-dev": [], "phantom": []}
    for question in QUESTIONS:
        if ("raters" if question.identified else "samples") in gives:
            asked["phantom" if question.identified else "lidc-dev"].append(question)
    return {dataset: found for dataset, found in asked.items() if found}


def tried(row: str, number: int, out: Path, data: Path) -> Iterator[Try]:
    """Trains a try where it is not there yet, and judges it."""
    method, fixed = _parts(row)
    options = drawn(row, number)
    for dataset, asked in questions(row).items():
        settings = {f"{method}.{name}": value for name, value in {**fixed, **options}.items()}
        results = mrbench.run(
            method,
            dataset,
            preset="compact",
            settings=settings | ({"phantom.seed": 1} if dataset == "phantom" else {}),
            folds=0,
            samples=SAMPLES,
            data=data,
            out=out,
            jobs=1,
        )
        (cell,) = results.cells
        frame = results.table(dataset, metrics=[question.metric for question in asked]).to_pandas()
        text = " ".join(f"{name}={as_text(value)}" for name, value in options.items() if _leaf(name) != "epochs")
        for question in asked:
            value = f"{frame[question.metric]['mean'].iloc[0]:.6g}" if cell.status is Status.OK else ""
            yield Try(row, number, question.name, dataset, text, cell.status.value, question.metric, value)


def main(words: Sequence[str] | None = None) -> None:
    """Runs the tries of the rows, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--table", type=Path)
    parser.add_argument("rows", nargs="+", metavar="ROW")
    asked = parser.parse_args(words)
    found = []
    for row in asked.rows:
        for number in range(1, TRIES + 1):
            for one in tried(row, number, asked.out, asked.data):
                print(one.row, one.number, one.dataset, one.options, one.metric, one.value or one.status, flush=True)
                found.append(one)
    if asked.table:
        with replaced(asked.table) as path, path.open("w", newline="") as file:
            writer = csv.DictWriter(file, [field.name for field in fields(Try)], lineterminator="\n")
            writer.writeheader()
            writer.writerows(map(asdict, found))


if __name__ == "__main__":
    main()
