import pickle

import h5py
import numpy as np
import pytest

from mrbench.data.checks import check_cases
from mrbench.data.description import Raters
from mrbench.errors import DataAbsentError, DataError, UsageError
from mrbench_lidc import prepare as preparation
from mrbench_lidc.config import EverySliceConfig, LidcConfig
from mrbench_lidc.prepare import prepare_1609, prepare_15096, prepare_phiseg
from mrbench_lidc.slices import load_1609, load_15096, load_phiseg

NESTED: tuple[object, ...] = ()
for _ in range(60):  # its text would have 2^60 parts
    NESTED = (NESTED, NESTED)

PUBLISHED = preparation.LIDC_1609.slices, preparation.LIDC_15096.slices
N = 16
RNG = np.random.default_rng(0)
IMAGES = RNG.random((N, 128, 128))


def masks(i):
    """Reader r's square has side 4 + (r + i) % 4."""
    found = []
    for r in range(4):
        mask = np.zeros((128, 128), np.uint8)
        mask[60 : 64 + (r + i) % 4, 60 : 64 + (r + i) % 4] = 1
        found.append(mask)
    return found


def record(i, scale=255.0, **changes):
    image = np.floor(IMAGES[i] * scale) if scale == 255 else IMAGES[i]
    return {"image": image, "masks": masks(i), "series_uid": f"{100 + i // 2}_slice{i}", "alpha": None} | changes


def write(folder, records, protocol=4):
    (folder / "a.pickle").write_bytes(pickle.dumps(dict(enumerate(records)), protocol))
    return folder / "a.pickle"


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Files of the tests have fewer slices than the published ones."""
    for name in ("LIDC_1609", "LIDC_15096"):
        layout = getattr(preparation, name)
        monkeypatch.setattr(preparation, name, type(layout)(**(vars(layout) | {"slices": N})))


def benchmark(folder, records=None, config=None):
    prepare_1609(write(folder, records or [record(i) for i in range(N)]), folder / "lidc-1609.h5", LidcConfig())
    return load_1609(config or LidcConfig(), folder)


def test_the_published_files_have_1609_and_15096_slices():
    assert PUBLISHED == (1609, 15096)


@pytest.mark.parametrize("protocol", [2, 4])
def test_the_benchmark_s_pickle_becomes_ranked_slices_in_bytes(tmp_path, protocol):
    prepare_1609(write(tmp_path, [record(i) for i in range(N)], protocol), tmp_path / "lidc-1609.h5", LidcConfig())
    cases = load_1609(LidcConfig(), tmp_path)
    assert cases.description.raters is Raters.RANKED
    assert (cases.ids[3], cases.subjects[3], cases.slices[3]) == ("101_slice3", "101", 3)
    np.testing.assert_array_equal(cases.pixels.image(3), np.floor(IMAGES[3] * 255).astype(np.uint8)[None], strict=True)
    assert cases[3].image.max() <= 1
    assert cases[3].masks.sum(axis=(1, 2)).tolist() == [16, 25, 36, 49]
    assert list(cases.splits) == ["strict", "published", "published-slice"]
    assert check_cases(cases) == []


def test_slots_as_stored_and_absent_readers(tmp_path):
    records = [record(i) for i in range(N)]
    records[5]["masks"][2] = np.zeros((128, 128), np.uint8)
    options = LidcConfig(raters="exchangeable", subset="all", unmarked="absent")
    cases = benchmark(tmp_path, records, options)
    assert cases.description.name == "lidc-1609-all"
    assert cases[5].present.tolist() == [True, True, False, True]
    assert cases[4].masks.sum(axis=(1, 2)).tolist() == [16, 25, 36, 49]
    assert len(load_1609(LidcConfig(), tmp_path)) == N - 1


def test_every_slice_of_the_probabilistic_u_net_keeps_its_values_and_its_digest(tmp_path):
    records = [record(i, 1.0, series_uid=f"1.3.{i // 4}") for i in range(N)]
    prepare_15096(write(tmp_path, records), tmp_path / "lidc-15096.h5", EverySliceConfig())
    cases = load_15096(EverySliceConfig(), tmp_path)
    np.testing.assert_array_equal(cases[2].image[0], IMAGES[2].astype(np.float32), strict=True)
    assert (cases.ids[5], cases.subjects[5], cases.slices) == ("1.3.1_2", "1.3.1", None)
    assert cases.description.raters is Raters.EXCHANGEABLE
    assert cases.compute_digest() == cases.stored_digest == cases.digest
    ranked = load_15096(EverySliceConfig(raters="ranked", subset="four"), tmp_path)
    assert ranked.description.name == "lidc-15096-four"
    assert ranked.digest != cases.digest
    assert ranked[7].masks.sum(axis=(1, 2)).tolist() == [16, 25, 36, 49]


def test_the_published_folds_stand_in_a_container_too(tmp_path, mrbench):
    benchmark(tmp_path)
    result = mrbench("data", "verify", "lidc-1609", "--data", tmp_path)
    assert result.exit_code == 0
    assert "split 'published-slice' of data set 'lidc-1609' leaks: fold" in result.output


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image": np.zeros((64, 64))}, "wrong image in record 3"),
        ({"image": np.zeros((128, 128, 3))}, "wrong image in record 3"),
        ({"image": np.full((128, 128), 300.0)}, r"wrong image in record 3\n.*0..255\n.*300"),
        ({"image": np.full((128, 128), np.nan)}, "wrong image in record 3"),
        ({"image": [1]}, "wrong image in record 3"),
        ({"masks": masks(0)[:3]}, "wrong masks in record 3"),
        ({"masks": [np.full((128, 128), 2.0)] * 4}, r"wrong masks in record 3\n.*0 and 1\n.*2"),
        ({"masks": None}, "wrong masks in record 3"),
        ({"masks": np.zeros((2**30, 0, 0), np.uint8)}, "wrong masks in record 3"),
        ({"series_uid": NESTED}, r"wrong series_uid in record 3\n.*\n.*a tuple"),
        ({"series_uid": "101"}, "wrong series_uid in record 3"),
        ({"series_uid": b"101_slice3"}, "wrong series_uid in record 3"),
        ({"series_uid": "../../x_slice3_x"}, "wrong series_uid in record 3"),
    ],
)
def test_records_that_are_wrong_are_named(tmp_path, changes, message):
    records = [record(i) for i in range(N)]
    records[3] |= changes
    with pytest.raises(DataError, match=message):
        benchmark(tmp_path, records)
    assert not (tmp_path / "lidc-1609.h5").exists()


def test_other_pickles_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"does not hold the slices\n.*16 records\n.*3 records"):
        benchmark(tmp_path, [record(i) for i in range(3)])
    (tmp_path / "a.pickle").write_bytes(pickle.dumps([1]))
    with pytest.raises(DataError, match="found:    a list"):
        prepare_1609(tmp_path / "a.pickle", tmp_path / "o.h5", LidcConfig())
    records = [record(i) for i in range(N)]
    del records[4]["masks"]
    with pytest.raises(DataError, match="wrong masks in record 4"):
        benchmark(tmp_path, records)


def test_a_pickle_that_would_run_something_is_refused(tmp_path):
    (tmp_path / "a.pickle").write_bytes(b"\x80\x02cos\nsystem\nX\x05\x00\x00\x00touch\x85R.")
    with pytest.raises(DataError, match=r"names what no data need\n.*\n.*os.system") as caught:
        prepare_1609(tmp_path / "a.pickle", tmp_path / "o.h5", LidcConfig())
    assert "mrbench data prepare lidc-1609" in caught.value.hint


def test_a_folder_is_no_source(tmp_path):
    with pytest.raises(UsageError, match="is no file"):
        prepare_1609(tmp_path, tmp_path / "o.h5", LidcConfig())


@pytest.mark.parametrize(
    ("load", "name"), [(load_1609, "lidc-1609"), (load_15096, "lidc-15096"), (load_phiseg, "lidc-phiseg")]
)
def test_absent_containers_say_how_to_make_them(tmp_path, load, name):
    with pytest.raises(DataAbsentError, match="is not prepared") as caught:
        load(EverySliceConfig(), tmp_path)
    assert caught.value.hint == f"mrbench data prepare {name} --source FILE"


def test_a_container_of_another_collection_is_refused(tmp_path):
    benchmark(tmp_path)
    (tmp_path / "lidc-1609.h5").rename(tmp_path / "lidc-15096.h5")
    with pytest.raises(DataError, match=r"lidc-15096.h5 holds another data set\n.*\n.*'lidc-1609'"):
        load_15096(EverySliceConfig(), tmp_path)


# --- PHiSeg's file


def write_phiseg(path, chunks=None, **changes):
    counts = {"train": 9, "val": 3, "test": 4}
    with h5py.File(path, "w") as file:
        start = 0
        for name, n in counts.items():
            group = file.create_group(name)
            members = {
                "images": IMAGES[start : start + n] - 0.5,
                "labels": np.moveaxis(np.stack([masks(i) for i in range(start, start + n)]), 1, -1),
                "uids": np.arange(start, start + n) // 2 * 7 - 20,
            }
            there = {key: values[:n] for key, values in (members | changes).items() if values is not None}
            for key, values in there.items():
                packed = {"chunks": chunks, "compression": "gzip"} if chunks and key == "images" else {}
                group.create_dataset(key, data=values, **packed)
            start += n
    return path


@pytest.mark.parametrize("chunks", [None, (2, 64, 128)])
def test_phiseg_s_groups_become_slices_with_its_split(tmp_path, chunks):
    prepare_phiseg(write_phiseg(tmp_path / "a.hdf5", chunks), tmp_path / "lidc-phiseg.h5", EverySliceConfig())
    cases = load_phiseg(EverySliceConfig(), tmp_path)
    assert (cases.ids[0], cases.ids[9], cases.ids[12]) == ("train-0", "val-0", "test-0")
    np.testing.assert_allclose(cases[10].image[0], IMAGES[10], atol=1e-6)
    np.testing.assert_array_equal(cases[10].masks, np.stack(masks(10)))
    parts = {name: part.tolist() for name, part in cases.splits["published"].folds[0].parts().items()}
    assert parts == {"train": [*range(9)], "validation": [9, 10, 11], "test": [12, 13, 14, 15]}
    assert cases.subjects[0] == "series-20"


def test_phiseg_s_split_is_checked_for_subjects_that_it_splits(tmp_path, mrbench):
    prepare_phiseg(write_phiseg(tmp_path / "a.hdf5"), tmp_path / "lidc-phiseg.h5", EverySliceConfig())
    assert "leaks" not in mrbench("data", "verify", "lidc-phiseg", "--data", tmp_path).output
    uids = np.zeros(9, int)
    uids[1:] = np.arange(8)
    prepare_phiseg(write_phiseg(tmp_path / "b.hdf5", uids=uids), tmp_path / "lidc-phiseg.h5", EverySliceConfig())
    output = mrbench("data", "verify", "lidc-phiseg", "--data", tmp_path).output
    assert "split 'published' of data set 'lidc-phiseg' leaks: fold 0 trains and tests on 3 subjects: series0" in output


def test_phiseg_s_split_without_the_slices_that_are_left_out(tmp_path):
    labels = np.moveaxis(np.stack([masks(i) for i in range(9)]), 1, -1)
    labels[1, ..., 2] = 0
    path = write_phiseg(tmp_path / "a.hdf5", labels=labels)
    prepare_phiseg(path, tmp_path / "lidc-phiseg.h5", EverySliceConfig())
    cases = load_phiseg(EverySliceConfig(subset="four"), tmp_path)
    assert len(cases) == 13
    parts = [[cases.ids[i] for i in part] for part in cases.splits["published"].folds[0].parts().values()]
    assert parts[1:] == [["val-0", "val-2"], ["test-0", "test-2", "test-3"]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": None}, "no member /train/images"),
        ({"uids": None}, "no member /train/uids"),
        ({"images": np.full((9, 128, 128), 0.7)}, "wrong images in slice 0 of /train"),
        ({"images": np.full((9, 128, 128), np.nan)}, "wrong images in slice 0 of /train"),
        ({"labels": np.full((9, 128, 128, 4), 2)}, "wrong labels in slice 0 of /train"),
        ({"labels": np.zeros((9, 128, 128, 3), int)}, "wrong shape in /train/labels"),
        ({"images": np.zeros((9, 64, 64))}, "wrong shape in /train/images"),
        ({"uids": np.array([b"a"] * 9)}, "wrong type in /train/uids"),
    ],
)
def test_files_that_phiseg_did_not_make_are_refused(tmp_path, changes, message):
    with pytest.raises(DataError, match=f"a.hdf5 has (a )?{message}"):
        prepare_phiseg(write_phiseg(tmp_path / "a.hdf5", **changes), tmp_path / "o.h5", EverySliceConfig())
    assert not (tmp_path / "o.h5").exists()
