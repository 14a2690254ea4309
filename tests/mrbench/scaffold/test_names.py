"""Names of new plugins: what follows from them, and what is refused with a better one."""

import pytest

from mrbench.errors import UsageError
from mrbench.registry import discover
from mrbench.scaffold.names import Made, Names


def test_every_other_name_follows_from_the_one_given():
    names = Names("method", "my-seg-2")
    assert (names.distribution, names.module, names.stem, names.prefix) == (
        "mrbench-my-seg-2", "mrbench_my_seg_2", "my_seg_2", "MySeg2",
    )  # fmt: skip
    assert Names("method", "my-seg-2", single=True).module == "my_seg_2"


@pytest.mark.parametrize("name", ["a", "tint", "my-seg", "seg2", "none", "true", "method", "draw", "u-net", "a" * 40])
def test_a_name_that_works_is_taken(name: str):
    Names("method", name).check(discover([]))


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("My Seg", "'My Seg' is no name for a plugin", "mrbench new method my-seg"),
        ("my_seg", "lower-case words joined by hyphens", "mrbench new method my-seg"),
        ("3d-seg", "beginning with a letter", "mrbench new method d-seg"),
        ("seg-", "is no name", "mrbench new method seg"),
        ("a--b", "is no name", "mrbench new method a-b"),
        ("../evil", "is no name", "mrbench new method evil"),
        ("seg\n", "is no name", "mrbench new method seg"),
        ("é", "is no name", ""),
        ("", "is no name", ""),
        ("a" * 41, "40 characters at most", ""),
        ("class", "'class' is a word of Python's", "mrbench new method my-class"),
        ("lambda", "is a word of Python's", "mrbench new method my-lambda"),
    ],
)
def test_a_name_that_does_not_work_is_refused_with_one_that_does(name: str, message: str, hint: str):
    with pytest.raises(UsageError) as caught:
        Names("method", name).check(discover([]))
    assert message in caught.value.message
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("kind", "name", "owner"),
    [("method", "proseg", "method"), ("metric", "staple", "method"), ("method", "phantom", "dataset")],
)
def test_a_built_in_keeps_its_name_whatever_the_kind(kind: Made, name: str, owner: str):
    with pytest.raises(UsageError, match=f"{name!r} is the name of a built-in {owner}(.|\n)*mrbench new {kind} my-"):
        Names(kind, name).check(discover())


def test_a_module_that_is_there_is_not_hidden():
    with pytest.raises(UsageError, match=r"Python can already import 'json'(.|\n)*new metric my-json --file"):
        Names("metric", "json", single=True).check(discover([]))
    with pytest.raises(UsageError, match="Python can already import 'mrbench_unet'"):
        Names("dataset", "unet").check(discover([]))
    Names("metric", "json").check(discover([]))
