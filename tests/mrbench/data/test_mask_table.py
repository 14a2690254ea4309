"""A test per row of the table of masks, on files as programs write them, and of what can be said of values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mrbench.data.image_file import open_image
from mrbench.data.mask_rules import LabelMap, MaskRules, read_labels, read_rules
from mrbench.data.mask_values import StoredMask
from mrbench.errors import DataError, UsageError

LABELS = np.array([[0, 1, 0, 1], [1, 1, 0, 0], [0, 0, 0, 1]], np.uint8)
BLACK, WHITE, RED, GREEN = (0, 0, 0), (255, 255, 255), (255, 0, 0), (0, 255, 0)


def read(path, rules=MaskRules()):  # noqa: B008
    with open_image(path, str(path)) as file:
        return file.mask(rules).labels


def saved(tmp_path, image, name="a.png", **options):
    image.save(tmp_path / name, **options)
    return tmp_path / name


def with_palette(indices, colours):
    image = Image.fromarray(indices.astype(np.uint8), "L").convert("P")
    image.putdata(indices.reshape(-1).tolist())
    image.putpalette([channel for colour in colours for channel in colour])
    return image


# --- row 1: photometric interpretation and bit order


@pytest.mark.parametrize("zero_is_white", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_tiff_whose_zero_is_white_means_what_a_viewer_shows(tmp_path, zero_is_white, dtype):
    white = np.iinfo(dtype).max
    shown = LABELS.astype(dtype) * white
    # Pillow turns what it saves with eight bits, and leaves what has more.
    stored = white - shown if zero_is_white and dtype is np.uint16 else shown
    path = saved(tmp_path, Image.fromarray(stored), "a.tif", tiffinfo={262: 0 if zero_is_white else 1})
    with Image.open(path) as image:
        assert image.tag_v2[262] == (0 if zero_is_white else 1)
    assert np.array_equal(read(path) > 0, LABELS > 0)


@pytest.mark.parametrize("fill_order", [1, 2])
def test_the_order_of_bits_is_applied(tmp_path, fill_order):
    bits = np.packbits(LABELS, axis=1, bitorder="big" if fill_order == 1 else "little").tobytes()
    entries = [(256, 4), (257, 3), (258, 1), (259, 1), (262, 1), (266, fill_order), (273, 8), (277, 1), (278, 3),
               (279, len(bits))]  # fmt: skip
    packed = b"".join(
        tag.to_bytes(2, "little") + (4).to_bytes(2, "little") + (1).to_bytes(4, "little") + value.to_bytes(4, "little")
        for tag, value in entries
    )
    offset = 8 + len(bits) + len(bits) % 2
    head = b"II*\0" + offset.to_bytes(4, "little") + bits.ljust(offset - 8, b"\0")
    (tmp_path / "a.tif").write_bytes(head + len(entries).to_bytes(2, "little") + packed + bytes(4))
    assert np.array_equal(read(tmp_path / "a.tif") > 0, LABELS > 0)


# --- row 2: two colours


@pytest.mark.parametrize(
    ("first", "second"), [(BLACK, WHITE), (WHITE, BLACK), (RED, BLACK), (WHITE, RED), (BLACK, RED)]
)
def test_of_two_colours_the_darker_is_background_whatever_its_index(tmp_path, first, second):
    brighter = np.array([first, second]) @ [0.299, 0.587, 0.114]
    expected = LABELS if brighter[1] > brighter[0] else 1 - LABELS
    assert np.array_equal(read(saved(tmp_path, with_palette(LABELS, (first, second)))), expected)
    colours = np.array([first, second], np.uint8)[LABELS]
    assert np.array_equal(read(saved(tmp_path, Image.fromarray(colours), "b.png")) > 0, expected > 0)


# --- row 3: larger palettes

PALETTE = (BLACK, RED, GREEN, WHITE)
INDICES = np.arange(12).reshape(3, 4) % 4


def test_of_a_larger_palette_the_index_is_the_label(tmp_path):
    assert np.array_equal(read(saved(tmp_path, with_palette(INDICES, PALETTE))), INDICES)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["#ff0000=2,#00ff00=1,#ffffff=0"], [0, 2, 1, 0]),
        (["1=a,2=b,3=a"], [0, 1, 2, 1]),
        (["#FF0000=tumour", "2=tumour", "3=background"], [0, 1, 1, 0]),
        (["#000000=bone,#ff0000=background,2=0,3=0"], [1, 0, 0, 0]),
        (["0=x,1=background,2=background,3=y"], [1, 0, 0, 2]),
    ],
)
def test_labels_of_a_palette_go_by_colour_or_by_index(tmp_path, texts, expected):
    path = saved(tmp_path, with_palette(INDICES, PALETTE))
    assert np.array_equal(read(path, read_rules(texts, None, False)), np.array(expected)[INDICES])


# --- row 4: grey


@pytest.mark.parametrize("white", [1, 7, 31, 32, 100, 255])
def test_grey_values_are_themselves_for_import_to_name(tmp_path, white):
    assert np.array_equal(read(saved(tmp_path, Image.fromarray(LABELS * np.uint8(white)))), LABELS * white)


@pytest.mark.parametrize(
    ("threshold", "invert"), [(128, False), (100.5, False), (215, False), (128, True), (216, True), (1, True)]
)
def test_a_threshold_takes_what_is_at_least_that_and_inversion_the_rest(tmp_path, threshold, invert):
    grey = np.array([[0, 39, 100, 101], [127, 128, 214, 215], [216, 255, 1, 2]], np.uint8)
    found = read(saved(tmp_path, Image.fromarray(grey)), read_rules((), threshold, invert))
    assert np.array_equal(found, (grey >= threshold) ^ invert)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_threshold_holds_at_its_limit_in_every_type(tmp_path, dtype):
    np.save(tmp_path / "a.npy", np.array([[0.1, 0.25, 0.5, 0.75]], dtype))
    assert read(tmp_path / "a.npy", read_rules((), 0.5, False)).tolist() == [[0, 0, 1, 1]]
    assert read(tmp_path / "a.npy", read_rules((), 0.1, False))[0, 1:].tolist() == [1, 1, 1]


# --- row 5: colours


@pytest.mark.parametrize("alpha", [False, True])
def test_equal_colours_are_grey_and_opaque_alpha_is_dropped(tmp_path, alpha):
    grey = np.stack([INDICES.astype(np.uint8)] * 3 + [np.full_like(INDICES, 255, np.uint8)] * alpha, axis=-1)
    assert np.array_equal(read(saved(tmp_path, Image.fromarray(grey))), INDICES)


def test_unequal_colours_need_labels_and_the_error_writes_them_down(tmp_path):
    path = saved(tmp_path, Image.fromarray(np.array(PALETTE, np.uint8)[INDICES]))
    with pytest.raises(DataError, match="is a mask in colours") as caught:
        read(path)
    assert "--labels #000000=background,#00ff00=NAME,#ff0000=NAME" in caught.value.hint
    rules = read_rules(["#00ff00=liver,#ff0000=tumour,#ffffff=tumour"], None, False)
    assert np.array_equal(read(path, rules), np.array([0, 2, 1, 2])[INDICES])
    assert rules.labels.classes == ("background", "liver", "tumour")


# --- row 6: numbers near whole ones


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("whole", [0, 1, 3, 100, 4095, 65535])
def test_numbers_a_thousandth_off_are_whole_in_either_precision(tmp_path, dtype, whole):
    for off, right in ((0.001, True), (-0.001, whole > 0), (0.012, False)):
        np.save(tmp_path / "a.npy", np.array([[whole + off, 0.0]], dtype))
        if right:
            assert read(tmp_path / "a.npy").tolist() == [[whole, 0]]
        elif off > 0:
            with pytest.raises(DataError, match="fractions"):
                read(tmp_path / "a.npy")


# --- what is said


@pytest.mark.parametrize(
    ("texts", "classes", "values"),
    [
        (["0=background,127=liver,255=tumour"], ("background", "liver", "tumour"), {0: 0, 127: 1, 255: 2}),
        (["255=2"], ("background", "class-1", "class-2"), {255: 2}),
        (["1=a", "2=a"], ("background", "a"), {1: 1, 2: 1}),
        (["0=lesion,255=Background"], ("background", "lesion"), {0: 1, 255: 0}),
        ([" -1 = air , 5=2 "], ("background", "air", "class-2"), {-1: 1, 5: 2}),
        (["3=a b"], ("background", "a b"), {3: 1}),
    ],
)
def test_a_map_gives_classes_their_numbers(texts, classes, values):
    found = read_labels(texts)
    assert (found.classes, dict(found.values)) == (classes, values)


@pytest.mark.parametrize(
    ("texts", "word"),
    [
        (["127"], "cannot read '127'"),
        (["a=b"], "cannot read 'a=b'"),
        (["#ff=b"], "cannot read"),
        (["1=a,1=b"], "names 1 twice"),
        (["01=a,1=b"], "names 1 twice"),
        (["0=background"], "no class but background"),
        (["1=256"], "names class 256"),
        ([""], "no class but background"),
        (["1=²"], ""),
    ],
)
def test_a_map_that_cannot_be_used_is_refused_with_an_example(texts, word):
    if not word:
        assert read_labels(texts).classes == ("background", "²")
        return
    with pytest.raises(UsageError, match=word):
        read_labels(texts)


def test_a_map_for_known_classes_takes_their_names_and_numbers():
    known = ("background", "disc", "cup")
    assert dict(read_labels(["255=cup,128=1"], known).values) == {255: 2, 128: 1}
    with pytest.raises(UsageError, match="names the class 'lesion'") as caught:
        read_labels(["255=lesion"], known)
    assert "disc, cup" in caught.value.expected


@pytest.mark.parametrize(("threshold", "invert"), [(1.0, False), (None, True), (0.0, True)])
def test_a_map_and_another_rule_exclude_each_other(threshold, invert):
    with pytest.raises(UsageError, match="--labels says what every value means"):
        read_rules(["1=a"], threshold, invert)


@pytest.mark.parametrize("values", [[0, 3], [7, 1], [2, -5], [1, 2], [0, 65535]])
def test_a_value_without_a_class_is_refused_and_named(values):
    with pytest.raises(DataError, match="f holds values that --labels gives no class") as caught:
        LabelMap({1: 1}, {}, ("background", "a")).of(StoredMask(np.array([values])), "f")
    other = min(value for value in values if value not in (0, 1))
    assert f"--labels {other}=NAME" in caught.value.hint


@pytest.mark.parametrize("values", [[0, 1, 2], [1, 2], [128, 255], [0, 255, 254], [3, 4, 5]])
def test_what_has_more_than_a_foreground_cannot_be_inverted(values):
    with pytest.raises(DataError, match="cannot be inverted"):
        MaskRules(invert=True).read(StoredMask(np.array([values], np.uint8)), "f")


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30), st.permutations(range(10)))
def test_a_map_is_the_function_that_it_spells(values, classes):
    texts = [f"{value}={k}" for value, k in enumerate(classes)]
    found = read_rules(texts, None, False).read(StoredMask(np.array([values])), "f").labels
    assert found.tolist() == [[classes[value] for value in values]]
