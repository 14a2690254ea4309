import errno
import multiprocessing
import os
import pickle
import resource
import signal
from dataclasses import replace

import h5py
import numpy as np
import pytest

from mrbench.data import container
from mrbench.data.caseset import ArrayPixels
from mrbench.data.container import open_container, verify_container, write_container
from mrbench.data.splits import Fold, Split
from mrbench.errors import DataError, MrbenchError, UsageError

BOTH = pytest.mark.parametrize("mode", ["memory", "stream"])


def assert_same(found, expected):
    assert found.description == expected.description
    for name in ("ids", "subjects", "slices", "spacings", "metadata"):
        assert getattr(found, name) == getattr(expected, name), name
    assert found.splits.keys() == expected.splits.keys()
    for name, split in expected.splits.items():
        assert found.splits[name].digest(found.ids) == split.digest(expected.ids)
    for index in range(len(expected)):
        assert_same_case(found[index], expected[index])
    assert found.compute_digest() == expected.compute_digest() == found.stored_digest


def assert_same_case(found, expected):
    np.testing.assert_array_equal(found.image, expected.image, strict=True)
    np.testing.assert_array_equal(found.masks, expected.masks, strict=True)
    np.testing.assert_array_equal(found.present, expected.present, strict=True)
    assert found.attributes.keys() == expected.attributes.keys()
    for name, values in expected.attributes.items():
        np.testing.assert_array_equal(found.attributes[name], values, strict=True)


@BOTH
def test_everything_a_case_set_holds_comes_back(tmp_path, rich_cases, mode):
    write_container(tmp_path / "rich.h5", rich_cases)
    assert_same(open_container(tmp_path / "rich.h5", mode), rich_cases)


@BOTH
@pytest.mark.parametrize(
    "options",
    [
        {"spatial": [(12, 10), (9, 14), (12, 10), (20, 8)]},
        {"spatial": [(3, 12, 10)] * 4},
        {"spatial": [(3, 12, 10), (5, 12, 10), (2, 9, 11)], "classes": 3, "channels": 3, "dtype": "float32"},
        {"classes": 3, "raters": 4},
        {"channels": 3, "dtype": "int16"},
        {"dtype": ">i2"},
        {"raters": 1, "spatial": [(8, 8)]},
    ],
    ids=["ragged", "volumes", "ragged volumes", "K = 3", "C = 3", "big-endian", "one case, one rater"],
)
def test_every_layout_comes_back(tmp_path, make_cases, mode, options):
    cases = make_cases(**options)
    write_container(tmp_path / "cases.h5", cases)
    assert_same(open_container(tmp_path / "cases.h5", mode), cases)


def test_cases_of_one_shape_are_stacked_with_a_chunk_per_case(tmp_path, make_cases):
    write_container(tmp_path / "cases.h5", make_cases())
    with h5py.File(tmp_path / "cases.h5") as file:
        assert (file["image"].chunks, file["mask"].chunks) == ((1, 1, 12, 10), (1, 3, 12, 10))
        assert (file["image"].compression, file["image"].compression_opts) == ("gzip", 1)


def test_the_digest_is_of_the_content_not_of_the_file(tmp_path, make_cases):
    cases = make_cases()
    ragged = replace(cases, pixels=ArrayPixels(list(cases.pixels.images), list(cases.pixels.all_masks)))
    digests = {write_container(tmp_path / "a.h5", cases), write_container(tmp_path / "b.h5", ragged), cases.digest}
    with h5py.File(tmp_path / "b.h5", "a") as file:
        file["unrelated"] = np.zeros(1000)
    assert digests == {verify_container(tmp_path / "b.h5")}


def test_a_container_can_be_written_from_a_streamed_one(tmp_path, rich_cases):
    first = write_container(tmp_path / "a.h5", rich_cases)
    assert write_container(tmp_path / "a.h5", open_container(tmp_path / "a.h5", "stream")) == first


def test_incompressible_images_come_back(tmp_path, make_cases):
    cases = make_cases()
    noise = np.random.default_rng(1).random((6, 1, 12, 10))
    noisy = replace(cases, pixels=ArrayPixels(noise, cases.pixels.all_masks))
    write_container(tmp_path / "cases.h5", noisy)
    assert_same(open_container(tmp_path / "cases.h5", "stream"), noisy)


def test_an_empty_validation_list_comes_back(tmp_path, make_cases):
    fold = Fold(np.array([0, 1]), np.array([], np.int64), np.array([2, 3, 4, 5]))
    cases = make_cases(splits={"strict": Split("strict", (fold,))})
    write_container(tmp_path / "cases.h5", cases)
    assert_same(open_container(tmp_path / "cases.h5"), cases)


def test_verify_notices_a_changed_pixel(tmp_path, make_cases):
    write_container(tmp_path / "cases.h5", make_cases())
    with h5py.File(tmp_path / "cases.h5", "a") as file:
        file["image"][3, 0, 0, 0] += 1
    with pytest.raises(DataError, match="has been changed since it was written"):
        verify_container(tmp_path / "cases.h5")


def test_streamed_cases_survive_pickling(tmp_path, make_cases):
    cases = make_cases()
    write_container(tmp_path / "cases.h5", cases)
    streamed = open_container(tmp_path / "cases.h5", "stream")
    assert_same(pickle.loads(pickle.dumps(streamed)), cases)


def test_a_forked_process_reads_the_same_cases(tmp_path, make_cases):
    cases = make_cases()
    write_container(tmp_path / "cases.h5", cases)
    streamed = open_container(tmp_path / "cases.h5", "stream")
    streamed[0]
    sums = [int(streamed.pixels.image(i).sum()) for i in range(6)]
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=lambda: sender.send([int(streamed.pixels.image(i).sum()) for i in range(6)]))
    child.start()
    assert receiver.poll(60)
    assert receiver.recv() == sums
    child.join(60)
    assert child.exitcode == 0
    assert [int(streamed.pixels.image(i).sum()) for i in range(6)] == sums


def test_a_closed_stream_opens_again(tmp_path, make_cases):
    cases = make_cases()
    write_container(tmp_path / "cases.h5", cases)
    streamed = open_container(tmp_path / "cases.h5", "stream")
    streamed.pixels.close()
    assert_same(streamed, cases)


def test_a_container_replaced_in_use_is_refused(tmp_path, make_cases):
    write_container(tmp_path / "cases.h5", make_cases())
    streamed = open_container(tmp_path / "cases.h5", "stream")
    streamed.pixels.close()
    write_container(tmp_path / "cases.h5", make_cases(classes=3))
    with pytest.raises(DataError, match="was replaced while it was in use"):
        streamed[0]


def test_memory_mode_leaves_the_file_closed(tmp_path, make_cases):
    write_container(tmp_path / "cases.h5", make_cases())
    open_container(tmp_path / "cases.h5")
    h5py.File(tmp_path / "cases.h5", "a").close()


@BOTH
def test_an_index_outside_the_cases_is_an_index_error(tmp_path, make_cases, mode):
    write_container(tmp_path / "cases.h5", make_cases())
    with pytest.raises(IndexError):
        open_container(tmp_path / "cases.h5", mode).pixels.image(6)


def test_an_unknown_mode_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="unknown mode 'mmap'"):
        open_container(tmp_path / "cases.h5", "mmap")


# --- writing all or nothing


def test_the_folder_is_made(tmp_path, make_cases):
    write_container(tmp_path / "new" / "folder" / "cases.h5", make_cases())
    assert verify_container(tmp_path / "new" / "folder" / "cases.h5")


def test_a_failed_write_leaves_nothing(tmp_path, make_cases, monkeypatch):
    monkeypatch.setattr(container.PixelWriter, "add", _no_space)
    with pytest.raises(MrbenchError, match="could not be written") as caught:
        write_container(tmp_path / "cases.h5", make_cases())
    assert "No space left on device" in caught.value.found
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_keeps_what_was_there(tmp_path, make_cases, monkeypatch):
    digest = write_container(tmp_path / "cases.h5", make_cases())
    monkeypatch.setattr("mrbench.files.flush", _no_space)
    with pytest.raises(MrbenchError, match="could not be written"):
        write_container(tmp_path / "cases.h5", make_cases(classes=3))
    assert verify_container(tmp_path / "cases.h5") == digest
    assert [path.name for path in tmp_path.iterdir()] == ["cases.h5"]


def test_an_interrupted_write_leaves_nothing(tmp_path, make_cases, monkeypatch):
    monkeypatch.setattr(container, "_write_splits", _interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_container(tmp_path / "cases.h5", make_cases())
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_a_clear_error_and_leaves_nothing(tmp_path, make_cases):
    # The limit on the size of files fails in the midst of HDF5's own writes, as a full disk does.
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_write_with_little_room, args=(tmp_path / "cases.h5", make_cases(), sender))
    child.start()
    assert receiver.poll(60)
    assert "could not be written" in receiver.recv()
    child.join(60)
    assert child.exitcode == 0
    assert list(tmp_path.iterdir()) == []


def test_a_killed_write_leaves_no_container_and_the_next_one_clears_up(tmp_path, make_cases):
    context = multiprocessing.get_context("fork")
    child = context.Process(target=_write_and_be_killed, args=(tmp_path / "cases.h5", make_cases()))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    assert [path.suffix for path in tmp_path.iterdir()] == [".tmp"]
    digest = write_container(tmp_path / "cases.h5", make_cases())
    assert [path.name for path in tmp_path.iterdir()] == ["cases.h5"]
    assert verify_container(tmp_path / "cases.h5") == digest


def test_what_others_are_writing_is_left_alone(tmp_path, make_cases):
    gone = 2**22 + 1  # above every process number of Linux
    mine = tmp_path / f".cases.h5.{os.getpid()}-0123abcd.tmp"
    elsewhere = tmp_path / f".cases.h5.{gone}-0123abcd.tmp"
    another = tmp_path / f".other.h5.{gone}-0123abcd.tmp"
    mine.write_text("")
    another.write_text("")
    with h5py.File(elsewhere, "w"):
        write_container(tmp_path / "cases.h5", make_cases())
    assert all(path.exists() for path in (mine, elsewhere, another))
    write_container(tmp_path / "cases.h5", make_cases())
    assert [path.exists() for path in (mine, elsewhere, another)] == [True, False, True]


def test_a_folder_that_is_a_file_is_a_clear_error(tmp_path, make_cases):
    (tmp_path / "file").write_text("")
    with pytest.raises(MrbenchError, match="could not be written"):
        write_container(tmp_path / "file" / "cases.h5", make_cases())


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"ids": ("a", "a", "b", "c", "d", "e")}, "two cases named 'a'"),
        ({"ids": ("a\0", "b", "c", "d", "e", "f")}, "cannot name a case"),
        ({"subjects": ("\ud800", "b", "c", "d", "e", "f")}, "cannot name a case or subject"),
        ({"attributes": {"a/b": np.zeros((6, 3))}}, "cannot name an attribute"),
        ({"metadata": ({"x": object()}, {}, {}, {}, {}, {})}, "case 'case-0' has metadata that are not JSON"),
        ({"metadata": ({}, {"x": float("nan")}, {}, {}, {}, {})}, "case 'case-1' has metadata that are not JSON"),
    ],
)
def test_what_a_container_cannot_hold_is_refused(tmp_path, make_cases, fields, message):
    with pytest.raises(DataError, match=message):
        write_container(tmp_path / "cases.h5", make_cases(**fields))
    assert list(tmp_path.iterdir()) == []


def test_masks_that_are_not_integers_are_refused(tmp_path, make_cases):
    cases = make_cases()
    floats = replace(cases, pixels=ArrayPixels(cases.pixels.images, cases.pixels.all_masks.astype(float)))
    with pytest.raises(DataError, match="case 'case-0' of data set 'boxes' has masks that are not integers"):
        write_container(tmp_path / "cases.h5", floats)


def test_an_array_larger_than_a_chunk_is_refused(tmp_path, make_cases, monkeypatch):
    monkeypatch.setattr(container, "MAX_ARRAY_BYTES", 100)
    with pytest.raises(DataError, match="case 'case-0' of data set 'boxes' is too large"):
        write_container(tmp_path / "cases.h5", make_cases())


def _no_space(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


def _interrupt(*_, **__):
    raise KeyboardInterrupt


def _write_and_be_killed(path, cases):
    container._write_splits = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
    write_container(path, cases)


def _write_with_little_room(path, cases, sender):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    try:
        write_container(path, cases)
        sender.send("written")
    except MrbenchError as error:
        sender.send(error.message)
