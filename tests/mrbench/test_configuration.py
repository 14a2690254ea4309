"""Typed configurations: what is wrong is named, with the nearest right one."""

from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from mrbench.configuration import Config, added_option, as_text, flat, loss_option, option, prediction_option
from mrbench.errors import UsageError


class Inner(Config):
    width: int = option(16, "channels", ge=1)
    weights: Path | None = option(None, "a file")


class Example(Config):
    epochs: int = option(100, "passes", ge=1)
    rate: float = option(1e-4, "learning rate")
    mode: Literal["fast", "slow"] = option("fast", "how")
    draws: int = prediction_option(1, "draws")
    inner: Inner = Inner()


def test_strings_of_a_command_line_become_the_declared_types():
    config = Example.parse({"epochs": "3", "rate": "1e-3", "inner.width": "8"}, owner="x")
    assert (config.epochs, config.rate, config.inner.width) == (3, 1e-3, 8)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epoch": 3}, "did you mean 'epochs'"),
        ({"inner.widht": 3}, "did you mean 'inner.width'"),
        ({"epochs": "many"}, "valid integer"),
        ({"epochs": "0"}, "greater than or equal to 1"),
        ({"mode": "medium"}, "'fast' or 'slow'"),
        ({"rate": "nan"}, "finite"),
        ({"inner": 3}, "option 'inner' of x"),
        ({"epochs": 3, "epochs.x": 3}, "beside"),
        ({"epochs.x": 3, "epochs": 3}, "beside"),
    ],
)
def test_a_wrong_option_is_a_usage_error_that_names_it(values: dict[str, object], message: str):
    with pytest.raises(UsageError, match=message) as error:
        Example.parse(values, owner="x")
    assert error.value.exit_code == 2


def test_nested_and_dotted_values_merge():
    assert flat({"a": {"b": 1, "c.d": 2}, "a.e": 3}) == {"a.b": 1, "a.c.d": 2, "a.e": 3}
    config = Example.parse({"inner": {"width": 4}, "inner.weights": "w.pt"}, owner="x")
    assert config.inner == Inner(width=4, weights=Path("w.pt"))


def test_none_can_be_said_on_a_command_line():
    assert Example.parse({"inner.weights": "none"}, owner="x").inner.weights is None


class Several(Config):
    widths: tuple[int, ...] = option((1,), "channels")
    names: list[str] | None = option(None, "names")
    pairs: tuple[tuple[int, int], ...] = option((), "pairs")
    flag: bool = option(True, "yes or no")
    word: str = option("a,b", "one text")


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"widths": "8,16, 32"}, (8, 16, 32)),
        ({"widths": "8"}, (8,)),
        ({"widths": ""}, ()),
        ({"widths": "[8, 16]"}, (8, 16)),
        ({"widths": [8, 16]}, (8, 16)),
        ({"names": "a,b"}, ["a", "b"]),
        ({"names": "none"}, None),
        ({"pairs": "[[1, 2], [3, 4]]"}, ((1, 2), (3, 4))),
        ({"flag": "false"}, False),
        ({"flag": "True"}, True),
        ({"word": "x,y"}, "x,y"),
    ],
)
def test_options_of_several_values_and_booleans_are_read_from_texts(values: dict[str, object], found: object):
    (name,) = values
    assert getattr(Several.parse(values, owner="x"), name) == found


@pytest.mark.parametrize(("text", "found"), [("8,many", "'many'"), ("[8", "'[8'"), ("8;9", "'8;9'")])
def test_a_wrong_one_of_several_values_is_named(text: str, found: str):
    with pytest.raises(UsageError, match=r"option 'widths\.\d' of x has a wrong value") as error:
        Several.parse({"widths": text}, owner="x")
    assert error.value.found == found


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("widths", (8, 16), "8,16"),
        ("widths", (), ""),
        ("names", ["a b", "c"], "a b,c"),
        ("names", ["a,b", "c"], '["a,b", "c"]'),
        ("names", [" a"], '[" a"]'),
        ("names", ["none"], '["none"]'),
        ("names", [""], '[""]'),
        ("names", None, "null"),
        ("pairs", ((1, 2), (3, 4)), "[[1, 2], [3, 4]]"),
        ("flag", False, "false"),
        ("word", "[a", "[a"),
    ],
)
def test_a_value_written_as_a_text_is_read_as_the_same_value(name: str, value: object, text: str):
    assert as_text(value) == text
    assert getattr(Several.parse({name: text}, owner="x"), name) == value


def test_a_prediction_option_of_a_nested_configuration_is_one():
    class Sampling(Config):
        draws: int = prediction_option(1, "draws")
        kinds: tuple[str, ...] = option(("a",), "kinds")

    class Outer(Config):
        sampling: Sampling = Sampling()

    assert Outer().step("prediction") == {"sampling.draws": 1}
    assert Outer().step("training") == {"sampling.kinds": ["a"]}


def test_prediction_options_stay_out_of_the_training_digest():
    assert set(Example().step("prediction")) == {"draws"}
    assert "draws" not in Example().step("training")


def test_an_added_option_enters_the_training_digest_only_where_it_changes_something():
    class Grown(Config):
        epochs: int = option(100, "passes")
        extra: float = added_option(0.0, "weight of a later term", ge=0)

    class Outer(Config):
        inner: Grown = Grown()

    assert Outer().step("training") == {"inner.epochs": 100}
    assert Outer.parse({"inner.extra": "0"}, owner="x").step("training") == {"inner.epochs": 100}
    assert Outer.parse({"inner.extra": 0.5}, owner="x").step("training") == {"inner.epochs": 100, "inner.extra": 0.5}
    assert Outer().values() == {"inner": {"epochs": 100, "extra": 0.0}}


def test_options_of_the_loss_that_are_not_the_papers_are_the_objective_nested_ones_too():
    class Weights(Config):
        kl: float = loss_option(1.0, "of the divergence")
        later: float = loss_option(0.0, "of a later term", added=True)

    class Outer(Config):
        weights: Weights = Weights()
        form: str = loss_option("dice", "of the loss")
        epochs: int = option(100, "passes")

    assert Outer.parse({"epochs": 3, "form": "dice"}, owner="x").objective() == {}
    assert Outer.parse({"weights.kl": "0.1", "form": "sum"}, owner="x").objective() == {
        "weights.kl": 0.1,
        "form": "sum",
    }
    assert "weights.later" not in Outer().step("training")
    assert Outer.parse({"weights.later": 2}, owner="x").step("training")["weights.later"] == 2


def test_files_enter_the_digest_by_content(tmp_path: Path):
    first, second = tmp_path / "a.pt", tmp_path / "b.pt"
    first.write_bytes(b"weights")
    second.write_bytes(b"weights")
    steps = [Example.parse({"inner.weights": path}, owner="x").step("training") for path in (first, second)]
    assert steps[0] == steps[1]
    second.write_bytes(b"other")
    assert Example.parse({"inner.weights": second}, owner="x").step("training") != steps[0]


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(UsageError, match="nowhere"):
        Example.parse({"inner.weights": tmp_path / "nowhere.pt"}, owner="x").step("training")


def test_options_lists_nested_names_with_their_help():
    assert Example.options()["inner.width"] == "channels"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a b", "a b"), (Path("a/b"), "a/b"), (3, "3"), (0.1, "0.1"), (True, "true"), (None, "null"),
        ((0.9, 0.1), "0.9,0.1"), (["a", 1], "a,1"), (np.int64(3), "3"), (np.float64(0.1), "0.1"),
    ],
)  # fmt: skip
def test_a_value_is_written_as_on_a_command_line(value: object, text: str):
    assert as_text(value) == text


def test_a_value_that_no_command_line_has_is_refused():
    with pytest.raises(UsageError, match="a setting has a wrong value"):
        as_text([object()])
