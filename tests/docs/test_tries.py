"""The list of tries holds what the plan's seeds draw, and its page the best and worst of them."""

import csv
import importlib.util
import math
import re
from itertools import groupby
from pathlib import Path
from types import ModuleType

import pytest

from mrbench.configuration import as_text
from mrbench.nn.training import COMPACT

ROOT = Path(__file__).parents[2]
ROWS = list(csv.DictReader((ROOT / "docs" / "tries.csv").read_text().splitlines()))
PAGE = (ROOT / "docs" / "tries.md").read_text()
TOLD = r"^\| `(\S+)` \| (\w+) \| `(\w+)` \| (\S+) \| (\S+) \| (\S+) \|$"


@pytest.fixture(scope="module")
def tries() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tries", ROOT / "tests" / "benchmarks" / "tries.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_row_has_eight_tries_of_each_of_its_questions(tries: ModuleType) -> None:
    for row in {one["row"] for one in ROWS}:
        asked = {question.name for found in tries.questions(row).values() for question in found}
        for question in asked:
            numbers = [one["number"] for one in ROWS if (one["row"], one["question"]) == (row, question)]
            assert sorted(map(int, numbers)) == list(range(1, 9))
        assert {one["question"] for one in ROWS if one["row"] == row} == asked


def test_options_are_those_that_the_seed_draws(tries: ModuleType) -> None:
    for one in ROWS:
        options = {k: v for k, v in tries.drawn(one["row"], int(one["number"])).items() if not k.endswith("epochs")}
        assert one["options"] == " ".join(f"{name}={as_text(value)}" for name, value in options.items())


def test_rates_and_factors_are_log_uniform_within_the_plans_bounds(tries: ModuleType) -> None:
    found = [tries.drawn("prob-unet", number) for number in range(400)]
    rates = [math.log(one["learning_rate"] / 0.0003) / math.log(100) for one in found]
    factors = [math.log10(one["kl_weight"] / tries.compact("prob-unet")["kl_weight"]) for one in found]
    for values, low, high in ((rates, 0, 1), (factors, -1, 1)):
        assert low - 0.01 <= min(values) <= max(values) <= high + 0.01
        mean, spread = sum(values) / 400, (high - low) / math.sqrt(12 * 400)
        assert abs(mean - (low + high) / 2) < 4 * spread
    assert {one["epochs"] for one in found} == {COMPACT["epochs"] // 3}


def test_a_weight_of_0_stays_0(tries: ModuleType) -> None:
    assert tries.compact("proseg")["weights.norm"] == 0
    assert "weights.norm" not in tries.drawn("proseg", 1)
    assert {"weights.kl_z", "weights.kl_tau"} <= set(tries.drawn("proseg", 1))


def test_the_page_tells_the_best_and_the_worst_of_each() -> None:
    told = re.findall(TOLD, PAGE, re.MULTILINE)
    found = []
    for (row, question), own in groupby(sorted(ROWS, key=_key), key=_key):
        ordered = sorted(own, key=lambda one: float(one["value"]), reverse=question == "personalisation")
        first, last = ordered[0], ordered[-1]
        values = [f"{float(one['value']):.4f}".lstrip("0") for one in (first, last)]
        found.append((row, question, first["metric"], first["options"], *values))
    assert sorted(told) == found


def _key(one: dict[str, str]) -> tuple[str, str]:
    return one["row"], one["question"]
