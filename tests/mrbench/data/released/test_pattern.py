import pytest

from mrbench.data.released.pattern import Pattern

FIELDS = {"part": "training|test", "case": r"\d\d", "any": "[^/]+?", "suffix": "(?:_x)?"}


@pytest.mark.parametrize(
    ("text", "name", "fields"),
    [
        ("{part}/{case}.tif", "test/01.tif", {"part": "test", "case": "01"}),
        ("{part}/{case}.tif", "DRIVE/v2/test/01.tif", {"part": "test", "case": "01"}),
        ("{part}/{case}.tif", "TEST/01.TIF", {"part": "TEST", "case": "01"}),
        ("{part}/{case}_{part}.tif", "test/01_test.tif", {"part": "test", "case": "01"}),
        ("{any}{suffix}.png", "a_b_x.png", {"any": "a_b", "suffix": "_x"}),
        ("{any}{suffix}.png", "a.b.png", {"any": "a.b", "suffix": ""}),
        ("a+b/{case}.tif", "a+b/07.tif", {"case": "07"}),
    ],
)
def test_what_fits_gives_its_fields(text, name, fields):
    assert Pattern(text, FIELDS).fields_of(name) == fields


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("{part}/{case}.tif", "test/1.tif"),
        ("{part}/{case}.tif", "test/01.tif.part"),
        ("{part}/{case}.tif", "mytest/01.tif"),
        ("{part}/{case}_{part}.tif", "test/01_training.tif"),
        ("{any}.png", "folder/.png"),
        ("a+b/{case}.tif", "aab/07.tif"),
        ("{case}xtif", "01.tif"),
    ],
)
def test_what_does_not_fit_gives_nothing(text, name):
    assert Pattern(text, FIELDS).fields_of(name) is None
