import tracemalloc
from itertools import product
from zlib import compress

import h5py
import numpy as np
import pytest

from mrbench.data.hdf5 import GuardedFile
from mrbench.errors import DataError

SHAPE = (3, 20, 17)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.h5"


def read(path):
    with GuardedFile(path, hint="get it again") as file:
        return file.read("x", kinds="ui", shape=(None,) * 3, packed=True)


def refused(path, message):
    with pytest.raises(DataError, match=message) as caught:
        read(path)
    assert "a.h5" in caught.value.what


@pytest.mark.parametrize(
    ("compression", "shuffle", "checksums", "chunks"),
    list(product([None, "gzip", "lzf"], [False, True], [False, True], [SHAPE, (2, 9, 10), (1, 1, 17)])),
)
def test_packed_arrays_are_what_was_written(path, compression, shuffle, checksums, chunks):
    values = np.random.default_rng(0).integers(0, 9, SHAPE).astype(">i4")
    with h5py.File(path, "w") as file:
        file.create_dataset(
            "x", data=values, chunks=chunks, compression=compression, shuffle=shuffle, fletcher32=checksums
        )
    np.testing.assert_array_equal(read(path), values.astype("i4"), strict=True)


def test_chunks_that_were_never_written_hold_the_fill_value(path):
    with h5py.File(path, "w") as file:
        array = file.create_dataset("x", SHAPE, "u1", chunks=(1, 9, 10), fillvalue=7, compression="gzip")
        array[1, 3, 4] = 1
    assert (read(path) == 7).sum() == 3 * 20 * 17 - 1


def test_an_array_of_millions_of_chunks_of_which_none_was_written(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("x", (4, 2048, 2048), "u1", chunks=(1, 1, 1))
    assert not read(path).any()


def one_chunk(path, content, packed=1):
    """An array of one chunk, packed so many times over."""
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_chunk(SHAPE)
    for _ in range(packed):
        plan.set_deflate(1)
    with h5py.File(path, "w") as file:
        space = h5py.h5s.create_simple(SHAPE)
        array = h5py.h5d.create(file.id, b"x", h5py.h5t.STD_U8LE, space, plan)
        array.write_direct_chunk((0, 0, 0), content)


def test_a_chunk_that_unpacks_to_more_than_it_declares_is_not_unpacked(path):
    one_chunk(path, compress(bytes(2**24), 9))
    tracemalloc.start()
    try:
        refused(path, "has a damaged (chunk|member)")
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_arrays_that_are_packed_twice_over_are_refused(path):
    one_chunk(path, compress(compress(bytes(2**24), 9), 9), packed=2)
    refused(path, "packs /x in an unknown way")
