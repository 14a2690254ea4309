import contextlib
import copyreg
import datetime
import os
import pickle
import pickletools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrbench.data.pickles import read_pickle
from mrbench.errors import DataError

PROTOCOLS = [2, 3, 4, 5]


def read(tmp_path, content):
    (tmp_path / "a.pickle").write_bytes(content)
    return read_pickle(tmp_path / "a.pickle", hint="get it again")


def refused(tmp_path, content, message):
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path, content)
    assert "a.pickle" in caught.value.what
    assert caught.value.hint == "get it again"


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", ["?", "u1", "i2", "<i4", ">i8", "f2", "<f4", ">f8"])
def test_arrays_come_back_whatever_their_type_and_order(tmp_path, protocol, kind):
    array = (np.arange(24).reshape(2, 3, 4) % 5).astype(kind)
    for one in (array, np.asfortranarray(array), array[:, ::2], np.zeros((0, 3), kind), np.array(3, kind)):
        found = read(tmp_path, pickle.dumps({"a": one}, protocol))["a"]
        np.testing.assert_array_equal(found, one, strict=True)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_plain_values_come_back(tmp_path, protocol):
    value = {
        "text": "häß\ud800",
        "numbers": [0, -1, 255, 256, 70_000, -(2**31), 2**62, -(2**70), 1.5, float("inf")],
        "rest": (None, True, False, (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), [], {}),
        "bytes": [b"", b"abc\xff", b"x" * 300],
        "long": "x" * 70_000,
        7: {"nested": [{"deep": [1]}]},
    }
    found = read(tmp_path, pickle.dumps(value, protocol))
    assert found == value
    assert type(found["rest"][1]) is bool


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_numbers_of_numpy_become_python_s(tmp_path, protocol):
    assert read(tmp_path, pickle.dumps([np.float64(2.5), np.int32(-4), np.bool_(True)], protocol)) == [2.5, -4, True]


def test_shared_objects_stay_shared(tmp_path):
    array = np.arange(4)
    first, second, (third,) = read(tmp_path, pickle.dumps([array, array, [array]]))
    assert first is second is third


@pytest.mark.parametrize("core", ["numpy.core", "numpy._core"])
def test_arrays_of_both_generations_of_numpy(tmp_path, core):
    content = pickle.dumps(np.arange(5), 2).replace(b"cnumpy._core.", f"c{core}.".encode())
    np.testing.assert_array_equal(read(tmp_path, content), np.arange(5))


def test_texts_of_python_2_keep_their_bytes(tmp_path):
    # As Python 2 pickles an array: its content is a text.
    content = (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01K\x03\x85cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        b"\x89U\x03\x01\xfe\x80tb."
    )
    assert read(tmp_path, content).tolist() == [1, 254, 128]


def test_arrays_cannot_be_written_to(tmp_path):
    with pytest.raises(ValueError, match="read-only"):
        read(tmp_path, pickle.dumps(np.arange(5)))[0] = 1


# --- what could run


class Evil:
    def __init__(self, function, *arguments):
        self.reduced = function, arguments

    def __reduce__(self):
        return self.reduced


@pytest.mark.parametrize(
    ("function", "arguments", "name"),
    [
        (os.system, ("touch stolen",), "posix.system"),
        (eval, ("1",), "builtins.eval"),
        (getattr, ("", "join"), "builtins.getattr"),
        (np.load, ("x",), "numpy.load"),
        (np.frombuffer, (b"abc",), "numpy.frombuffer"),
        (copyreg._reconstructor, (object, object, None), "copyreg._reconstructor"),
        (datetime.date, (2020, 1, 1), "datetime.date"),
        (bytearray, (10,), "builtins.bytearray"),
    ],
)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_any_other_name_is_refused_and_told(tmp_path, monkeypatch, function, arguments, name, protocol):
    monkeypatch.chdir(tmp_path)
    name = name.replace("builtins", "__builtin__|builtins").replace("copyreg", "copy_reg|copyreg")
    refused(tmp_path, pickle.dumps([Evil(function, *arguments)], protocol), f"names what no data need\n.*\n.*({name})")
    assert not (tmp_path / "stolen").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x80\x02Pid\n.", "PERSID"),
        (b"\x80\x02NQ.", "BINPERSID"),
        (b"\x80\x02\x82\x01.", "EXT1"),
        (b"\x80\x02\x83\x01\x00.", "EXT2"),
        (b"\x80\x02\x84\x01\x00\x00\x00.", "EXT4"),
        (b"\x80\x02(ios\nsystem\n.", "INST"),
        (b"\x80\x02(cnumpy\nndarray\no.", "OBJ"),
        (b"\x80\x02cnumpy\nndarray\n)\x81.", "NEWOBJ"),
        (b"\x80\x04cnumpy\nndarray\n)}\x92.", "NEWOBJ_EX"),
        (b"\x80\x05\x97.", "NEXT_BUFFER"),
        (b"\x80\x04\x8f.", "EMPTY_SET"),
        (b"\x80\x02\xff.", "instruction"),
    ],
)
def test_instructions_that_no_data_need_are_refused_and_told(tmp_path, content, message):
    refused(tmp_path, content, f"holds what no data need\n.*\n.*{message}")


NESTED = b")q\x000" + b"h\x00h\x00\x86q\x000" * 60 + b"h\x00"
"""A tuple of itself twice over, sixty times: its text would have 2^60 parts."""

RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\n"
START = RECONSTRUCT + b"cnumpy\nndarray\nK\x00\x85U\x01b\x87R"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (RECONSTRUCT + b"cnumpy\ndtype\nK\x00\x85U\x01b\x87R.", "an array of another class"),
        (RECONSTRUCT + b"cnumpy\nmatrix\nK\x00\x85U\x01b\x87R.", "numpy.matrix"),
        (b"cnumpy\nndarray\n(K\x05\x85tR.", "makes an array directly"),
        (b"U\x01a)R.", "calls what no data need"),
        (b"cnumpy\nndarray\nNR.", "calls what no data need"),
        (b"cnumpy\nndarray\n}b.", "sets what no data need"),
        (b"]}b.", "sets what no data need"),
        (b"cnumpy\ndtype\nU\x02O8K\x00K\x01\x87R.", "an array of another type"),
        (b"cnumpy\ndtype\nU\x03V16K\x00K\x01\x87R.", "an array of another type"),
        (b"cnumpy\ndtype\nU\x02f8K\x00K\x01\x87R(K\x03U\x01<NU\x01x}K\x08K\x01tb.", "a type with parts"),
        (b"c_codecs\nencode\nX\x01\x00\x00\x00aX\x05\x00\x00\x00rot13\x86R.", "encodes a text in another way"),
        (b"c_codecs\nencode\nU\x01a" + NESTED + b"\x86R.", "encodes a text in another way\n.*\n.*a tuple"),
        (b"cnumpy\ndtype\n" + NESTED + b"\x85R.", "an array of another type\n.*\n.*a tuple"),
        (b"cbuiltins\nbytes\nK\x7f\x85R.", "calls bytes with arguments"),
        (START + b"(K\x01K\x03\x85NNU\x03abctb.", "an array without a type"),
    ],
)
def test_arrays_are_made_in_one_way_only(tmp_path, content, message):
    refused(tmp_path, b"\x80\x02" + content, message)


def test_arrays_of_objects_are_refused(tmp_path):
    refused(tmp_path, pickle.dumps(np.array([{}], object)), "an array of another type")


def test_subclasses_of_arrays_are_refused(tmp_path):
    refused(tmp_path, pickle.dumps(np.ma.array([1, 2])), "numpy.ma")


# --- what could fill the memory


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"B\xff\xff\xff\x7f", "declares more than it holds"),
        (b"\x8e" + b"\xff" * 8, "declares more than it holds"),
        (b"\x8d" + b"\xff" * 7 + b"\x7f", "declares more than it holds"),
        (b"\x96" + b"\xff" * 7 + b"\x7f", "declares more than it holds"),
        (b"\x8b\xff\xff\xff\x7f", "has too long a number"),
        (b"\x8a\xff" + b"\xff" * 255 + b".", "has too long a number"),
        (b"Nr\xff\xff\xff\xff0h\x01.", "is not a whole pickle"),
        (b"(" * 2000 + b".", "nested too deep"),
        (b"))\x86" + b"2\x86" * 60 + b"}\x940h\x00N\x86.", ""),
    ],
)
def test_declared_sizes_are_held_against_the_file(tmp_path, content, message):
    if message:
        refused(tmp_path, b"\x80\x04" + content, message)
    else:
        read(tmp_path, b"\x80\x04" + content)  # shared, and nobody walks through it


def test_an_array_that_declares_more_than_it_holds(tmp_path):
    content = pickle.dumps(np.zeros(10, np.uint8), 2).replace(b"K\n\x85", b"J\xff\xff\xff\x7f\x85")
    refused(tmp_path, content, "has an array of a wrong size")


def test_nested_tuples_are_no_keys(tmp_path):
    # Python hashes them without a limit to their depth, and crashes.
    refused(tmp_path, b"\x80\x02})" + b"\x85" * 100_000 + b"Ns.", "a key of type tuple")


def test_numbers_whose_hashes_can_be_chosen_are_no_keys(tmp_path):
    assert read(tmp_path, pickle.dumps({2**60: 1, -(2**60): 2})) == {2**60: 1, -(2**60): 2}
    refused(tmp_path, pickle.dumps({2**61 - 1: 1}), "too large a number as a key")


def test_a_draft_that_is_filled_twice_goes_to_its_places_once(tmp_path):
    state = b"(K\x01K\x01\x85cnumpy\ndtype\nU\x02i1\x85R\x89U\x01%stbq\x00"
    filled = state % b"\x05" + b"0" + state % b"\x06"
    first, second = read(tmp_path, b"\x80\x02" + START + b"q\x012" + filled + b"h\x01\x86.")
    assert (first.tolist(), second.tolist()) == ([6], [5])


def test_lists_nested_without_end_come_back(tmp_path):
    found = read(tmp_path, b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".")
    assert len(found) == 1


def test_one_text_cannot_be_copied_over_and_over(tmp_path):
    head = b"\x80\x02c_codecs\nencode\nq\x000X\x10\x27\x00\x00" + b"a" * 10_000 + b"q\x01X\x06\x00\x00\x00latin1q\x02"
    refused(tmp_path, head + b"h\x00h\x01h\x02\x86R" * 100 + b".", "copies one text many times")


def test_instructions_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr("mrbench.data.pickles.MAX_INSTRUCTIONS", 100)
    refused(tmp_path, b"\x80\x02" + b"}" * 200 + b".", "at most 100 instructions")


def test_the_size_of_the_file_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr("mrbench.data.pickles.MAX_PICKLE_BYTES", 100)
    refused(tmp_path, pickle.dumps("x" * 200), "has a wrong size")


# --- what is damaged


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has a wrong size"),
        (b"no pickle", "not a pickle of protocol 2 to 5"),
        (pickle.dumps([1], 0), "not a pickle of protocol 2 to 5"),
        (b"\x80\x09.", "not a pickle of protocol 2 to 5"),
        (b"\x80\x02.", "is not a whole pickle"),
        (b"\x80\x02N", "declares more than it holds"),
        (b"\x80\x02h\x07.", "is not a whole pickle"),
        (b"\x80\x02t.", "is not a whole pickle"),
        (b"\x80\x02\x87.", "is not a whole pickle"),
        (b"\x80\x02X\x01\x00\x00\x00\xff.", "is not a whole pickle"),
        (b"\x80\x02}]Ns.", "a key of type list"),
        (b"\x80\x02NNa.", "items of what is no list"),
        (b"\x80\x02c" + b"x" * 1000, "a name of more than 256 bytes"),
    ],
)
def test_damage_is_named(tmp_path, content, message):
    refused(tmp_path, content, message)


def test_a_folder_is_no_pickle(tmp_path):
    with pytest.raises(DataError, match="has a wrong size"):
        read_pickle(tmp_path, hint="")


@given(st.data())
def test_damaged_bytes_are_read_or_refused_and_nothing_else(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("fuzz")
    good = pickle.dumps({"a": np.arange(6.0).reshape(2, 3), "b": ["x", (1, 2.5), None]}, data.draw(st.integers(2, 5)))
    content = bytearray(good)
    for place, value in data.draw(st.lists(st.tuples(st.integers(2, len(good) - 1), st.integers(0, 255)), max_size=4)):
        content[place] = value
    with contextlib.suppress(DataError):
        read(folder, bytes(content))


def test_every_instruction_that_the_writer_uses_for_data_is_known():
    """Python's own writer is the oracle: what it writes for plain values must all be admitted."""
    from mrbench.data.pickles import _INSTRUCTIONS

    values = [1, 2**40, "a", b"b", 1.5, None, True, (1,), [1, 2], {"a": 1}, np.arange(3), bytes(300), "x" * 300]
    for protocol in PROTOCOLS:
        used = {opcode.code for opcode, _, _ in pickletools.genops(pickle.dumps(values, protocol))}
        assert {code.encode("latin-1") for code in used} - set(_INSTRUCTIONS) <= {b"\x80", b"."}
