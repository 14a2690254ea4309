import io
import tracemalloc
import zipfile

import numpy as np
import pytest

from mrbench.data.archive import Bounded, Field, read_archive, read_header
from mrbench.errors import DataError

FIELDS = {"image": Field("u", ("N", 4), 1), "patient": Field("U", ("N",))}


def read(path):
    return read_archive(path, FIELDS, hint="fetch it again")


def assert_refused(path, message):
    with pytest.raises(DataError, match=message) as caught:
        read(path)
    assert str(path) in caught.value.what
    assert caught.value.hint == "fetch it again"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "archive.npz"


@pytest.fixture
def arrays():
    return {"image": np.arange(8, dtype="u1").reshape(2, 4), "patient": np.array(["a", "bc"])}


def test_members_come_back(path, arrays):
    np.savez_compressed(path, **arrays, other=np.zeros(3))
    found = read(path)
    assert found.keys() == arrays.keys()
    for name, values in arrays.items():
        np.testing.assert_array_equal(found[name], values, strict=True)


def test_column_order_and_byte_order_do_not_matter(path, arrays):
    np.savez(path, image=np.asfortranarray(arrays["image"]), patient=arrays["patient"].astype(">U3"))
    found = read(path)
    assert found["image"].tolist() == arrays["image"].tolist()
    assert found["patient"].tolist() == ["a", "bc"]


def test_no_archive(path):
    path.write_bytes(b"no archive")
    assert_refused(path, "is not a whole NumPy archive")


def test_a_truncated_archive(path, arrays):
    np.savez(path, **arrays)
    path.write_bytes(path.read_bytes()[:-40])
    assert_refused(path, "is not a whole NumPy archive")


def test_a_damaged_member(path, arrays):
    np.savez(path, **arrays)
    content = bytearray(path.read_bytes())
    content[content.index(arrays["image"].tobytes()) + 3] ^= 255
    path.write_bytes(content)
    assert_refused(path, "is not a whole NumPy archive")


def understated(path, arrays, method):
    """An archive of which one member unpacks to 2^24 bytes more than it declares."""
    np.savez(path, **arrays)
    member = zipfile.ZipFile(path).read("image.npy")
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("patient.npy", b"")
        archive.writestr("image.npy", member + bytes(2**24))
    content = bytearray(path.read_bytes())
    at = content.rindex(b"PK\x01\x02") + 24  # of the size in the list of members
    content[at : at + 4] = len(member).to_bytes(4, "little")
    path.write_bytes(content)


def test_a_member_that_holds_more_than_it_declares_is_not_unpacked(path, arrays):
    understated(path, arrays, zipfile.ZIP_DEFLATED)
    tracemalloc.start()
    try:
        assert_refused(path, "is not a whole NumPy archive")
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_ways_of_packing_without_a_limit_are_refused(path, arrays, method):
    understated(path, arrays, method)
    assert_refused(path, f"image.npy is packed in way {method} of zip, not deflated")


@pytest.mark.parametrize("letters", [b"\xff\xff\xff\x7f", b"\x00\xd8\x00\x00"])
def test_characters_that_are_none(path, arrays, letters):
    np.savez(path, **arrays | {"patient": np.frombuffer(letters * 2, "<U1")})
    assert_refused(path, "field 'patient' holds a character beyond Unicode")


def test_floats_that_are_longer_than_python_s(path):
    np.savez(path, z=np.zeros(3, np.longdouble))
    with pytest.raises(DataError, match=r"field 'z' of .* has a wrong type"):
        read_archive(path, {"z": Field("f", ("N",))}, hint="fetch it again")


def test_a_missing_member(path, arrays):
    np.savez(path, image=arrays["image"])
    assert_refused(path, "lacks fields\n.*patient")


@pytest.mark.parametrize("name", ["../evil.npy", "/evil.npy", "image.npy/../evil.npy", "..\\evil.npy"])
def test_a_member_outside_the_archive_is_left_alone(path, arrays, name):
    np.savez(path, **arrays)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, b"evil")
    before = sorted(path.parent.rglob("*"))
    assert set(read(path)) == set(arrays)
    assert sorted(path.parent.rglob("*")) == before


def test_a_member_that_is_there_twice_counts_as_the_last(path, arrays):
    np.savez(path, **arrays)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("image.npy", b"no array")
    assert_refused(path, "is not a whole NumPy archive")


def test_a_pickle_is_not_read(path, arrays):
    np.savez(path, image=arrays["image"], patient=np.array([{}, None], object))
    assert_refused(path, "field 'patient' .* has a wrong type")


@pytest.mark.parametrize("dtype", ["f4", "u2", "i1", "?"])
def test_a_wrong_type(path, arrays, dtype):
    np.savez(path, image=arrays["image"].astype(dtype), patient=arrays["patient"])
    assert_refused(path, "field 'image' .* has a wrong type")


@pytest.mark.parametrize("shape", [(2, 5), (8,), (2, 4, 1)])
def test_a_wrong_shape(path, arrays, shape):
    np.savez(path, image=np.zeros(shape, "u1"), patient=arrays["patient"])
    assert_refused(path, "field 'image' .* has a wrong shape")


def test_members_that_disagree_in_length(path, arrays):
    np.savez(path, image=arrays["image"], patient=np.array(["a", "b", "c"]))
    assert_refused(path, r"field 'patient' .* has a wrong shape\n.*\(2,\)\n.*\(3,\)")


def test_a_member_that_unpacks_to_too_much(path, arrays):
    np.savez_compressed(path, image=np.zeros((30_000_000, 4), "u1"), patient=arrays["patient"])
    assert_refused(path, "unpacks to more than its size can hold")


def test_a_header_that_declares_more_than_there_is(path, arrays):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (10**15, 4)})
    np.savez(path, patient=arrays["patient"])
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("image.npy", header.getvalue())
    assert_refused(path, "declares more than it holds")


@pytest.mark.parametrize("header", [b"", b"\x93NUMPY\x01\x00\x05\x00{...}", b"\x93NUMPY\x09\x00", b"text"])
def test_a_broken_header(path, arrays, header):
    np.savez(path, patient=arrays["patient"])
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("image.npy", header)
    assert_refused(path, "is not a whole NumPy archive")


def header(text: str, version: int = 1, length: int | None = None) -> io.BytesIO:
    size = (len(text) if length is None else length).to_bytes(2 * version, "little")
    return io.BytesIO(b"\x93NUMPY" + bytes([version, 0]) + size + text.encode())


def of_shape(shape: str) -> str:
    return f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}}}"


def test_a_header_is_read_and_nothing_after_it():
    stream = header(of_shape("(2, 3)"))
    stream.seek(0, io.SEEK_END)
    stream.write(b"values")
    stream.seek(0)
    assert read_header(stream) == ((2, 3), False, np.dtype("u1"))
    assert stream.read() == b"values"


@pytest.mark.parametrize(
    "stream",
    [
        header("(" * 9000),
        header("-" * 6000 + "1"),
        header("{[]: 1}"),
        header("", length=10),
        header(" " * 100, version=2, length=2**31),
        header(of_shape("(-2, -3)")),
        header(of_shape("(True, 2)")),
        header(of_shape("(1, 2)").replace("|u1", "nonsense")),
        io.BytesIO(b"\x93NUMPY\x03\x00"),
        io.BytesIO(b""),
    ],
)
def test_what_is_no_header_is_a_value_error_whatever_its_parser_raises(stream):
    with pytest.raises(ValueError, match=r".+"):
        read_header(stream)


def test_a_long_header_is_refused_before_it_is_read():
    stream = header(" " * 100, version=2, length=20_000)
    with pytest.raises(ValueError, match="a header of 20000 bytes"):
        read_header(stream)
    assert stream.tell() == 12


@pytest.mark.parametrize("size", [0, 1, 99, 100])
def test_a_bounded_stream_gives_all_up_to_its_limit(size: int):
    content = bytes(range(size))
    assert io.BufferedReader(Bounded(io.BytesIO(content), 100), 8).read() == content


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_a_bounded_stream_reads_one_byte_beyond_its_limit_at_most(step: int):
    source = io.BytesIO(bytes(1000))
    stream = Bounded(source, 100)
    with pytest.raises(ValueError, match="unpacks to more than 100 bytes"):
        while stream.read(step):
            pass
    assert source.tell() == 101
