import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from mrbench.data.checks import check_cases
from mrbench.data.description import Raters
from mrbench.errors import DataAbsentError, DataError
from mrbench_riga import dataset
from mrbench_riga.config import RigaConfig
from mrbench_riga.listing import COUNTS, list_cases
from mrbench_riga.prepare import prepare

PARTIAL = RigaConfig(size=32, folds=3, partial=True)
GREY = 128


def photograph(shape, seed):
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3)).astype(np.uint8)


def mask(shape, rater):
    """A disc of grey with a white cup; each rater's cup is two rows taller than the one before."""
    labels = np.zeros(shape, np.uint8)
    labels[8 : shape[0] - 8, 8 : shape[1] - 8] = GREY
    labels[16 : 24 + 2 * rater, 16 : shape[1] - 16] = 255
    return labels


def write_picture(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)


def write_collection(source, name, count, *, shape=(64, 96), raters=6, separator="/", encoding="gbk"):
    """Crops, masks and list of a collection; the list names the final label as rater 0."""
    rows = ["imgName,maskName,rater"]
    for n in range(1, count + 1):
        image = f"DiscRegion/{name}/image{n}.jpg"
        seed = sum(map(ord, name)) + n
        (source / image).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(photograph(shape, seed)).save(source / image, quality=95)
        for rater in range(raters + 1):
            path = f"DiscRegion/{name}/image{n}-{rater}.tif"
            write_picture(source / path, mask(shape, rater))
            rows.append(f"{image},{path},{rater}".replace("/", separator))
    (source / f"Glaucoma_multirater_{name}.csv").write_text("\n".join(rows) + "\n", encoding=encoding)


@pytest.fixture
def few(tmp_path):
    """Two images of each collection."""
    for name in COUNTS:
        write_collection(tmp_path / "riga", name, 2)
    return tmp_path / "riga"


def load(source, folder, config=PARTIAL):
    prepare(source, folder, config)
    return dataset.load(config, folder)


def list_of(source, name="MESSIDOR"):
    return source / f"Glaucoma_multirater_{name}.csv"


def test_the_plugin_is_light():
    code = "import sys, mrbench_riga; mrbench_riga.mrbench_datasets(); assert not {'numpy', 'PIL'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_absent_data_say_how_to_get_and_prepare_them(tmp_path):
    with pytest.raises(DataAbsentError, match="data set 'riga' is not prepared") as caught:
        dataset.load(RigaConfig(), tmp_path)
    assert caught.value.hint.startswith("mrbench data prepare riga --source FOLDER")


def test_colour_crops_with_six_identified_raters(few, tmp_path):
    cases = load(few, tmp_path)
    assert cases.ids == tuple(f"{name}-image{n}" for name in COUNTS for n in (1, 2))
    assert (cases[0].image.shape, cases[0].masks.shape) == ((3, 32, 32), (6, 32, 32))
    assert cases.description.raters is Raters.IDENTIFIED
    assert cases.description.classes == ("background", "disc rim", "cup")
    assert not cases.description.native_grid
    assert check_cases(cases) == []


def test_the_cup_lies_in_the_disc_and_the_rim_is_the_rest(few, tmp_path):
    masks = load(few, tmp_path).pixels.masks(0)
    # Nearest neighbour: every second row and third column of the crop, at the middle of each.
    assert set(np.unique(masks).tolist()) == {0, 1, 2}
    for r, rater in enumerate(masks, 1):
        whole = mask((64, 96), r)[1::2, 1::3]
        np.testing.assert_array_equal(rater > 0, whole > 0)
        np.testing.assert_array_equal(rater == 2, whole == 255)


def test_photographs_are_averaged_over_the_area_of_a_pixel(few, tmp_path):
    path = few / "DiscRegion" / "BinRushed" / "image1.jpg"
    stored = np.asarray(Image.open(path)).astype(float)
    area = stored.reshape(32, 2, 32, 3, 3).mean(axis=(1, 3)).transpose(2, 0, 1)
    found = load(few, tmp_path).pixels.image(0)
    assert found.dtype == np.uint8
    assert np.abs(found - area).max() <= 1


def test_the_final_label_is_no_rater(few, tmp_path):
    before = load(few, tmp_path).compute_digest()
    write_picture(few / "DiscRegion" / "MESSIDOR" / "image1-0.tif", np.zeros((64, 96), np.uint8))
    assert load(few, tmp_path).compute_digest() == before


def test_train_on_two_collections_and_test_on_the_third(few, tmp_path):
    cases = load(few, tmp_path)
    (fold,) = cases.splits["magrabia"].folds
    assert [cases.ids[i] for i in fold.test] == ["Magrabia-image1", "Magrabia-image2"]
    assert (len(fold.train), len(fold.validation)) == (3, 1)
    tested = np.concatenate([fold.test for fold in cases.splits["strict"].folds])
    assert sorted(tested.tolist()) == list(range(6))


def test_paths_of_windows_within_the_region_and_in_another_encoding(few, tmp_path):
    write_collection(few, "MESSIDOR", 2, separator="\\")
    text = list_of(few).read_text()
    list_of(few).write_text(text.replace("DiscRegion\\", "").replace("rater", "rater 评分者", 1), encoding="gbk")
    list_of(few).rename(few / "DiscRegion" / list_of(few).name)
    assert load(few, tmp_path).ids[2:4] == ("MESSIDOR-image1", "MESSIDOR-image2")


def test_a_rater_without_a_row_is_absent_only_in_part(few, tmp_path):
    lines = list_of(few).read_text().splitlines()
    list_of(few).write_text("\n".join(line for line in lines if not line.endswith("image2-4.tif,4")))
    cases = load(few, tmp_path)
    assert cases.present.sum() == 35
    assert not cases.present[3, 3]
    assert not cases[3].masks[3].any()


def test_an_empty_mask_is_a_rater_who_marked_nothing(few, tmp_path):
    write_picture(few / "DiscRegion" / "MESSIDOR" / "image1-3.tif", np.zeros((64, 96), np.uint8))
    cases = load(few, tmp_path)
    assert cases.present.all()
    assert not cases[2].masks[2].any()


def test_another_size_is_prepared_again(few, tmp_path):
    load(few, tmp_path)
    with pytest.raises(DataError, match="holds another data set") as caught:
        dataset.load(RigaConfig(size=48, partial=True), tmp_path)
    assert "48 x 48" in caught.value.expected
    assert "--set size=48 --set partial=true" in caught.value.hint


def test_a_whole_collection_has_750_images(tmp_path):
    assert sum(COUNTS.values()) == 750
    for name, count in COUNTS.items():
        rows = ["imgName,maskName,rater"]
        for n in range(count):
            (tmp_path / "DiscRegion" / name).mkdir(parents=True, exist_ok=True)
            (tmp_path / "DiscRegion" / name / f"{n}.tif").touch()
            rows += [f"{name}/{n}.tif,{name}/{n}.tif,{rater}" for rater in range(7)]
        list_of(tmp_path, name).write_text("\n".join(rows))
    assert len(list_cases(tmp_path, RigaConfig())) == 750
    list_of(tmp_path).write_text(list_of(tmp_path).read_text().rpartition("\n")[0])
    with pytest.raises(DataError, match=r"MESSIDOR.csv lacks a mask of MESSIDOR/459.tif\n.*a row of rater 6"):
        list_cases(tmp_path, RigaConfig())


# --- hostile sources


def assert_refused(source, tmp_path, message, config=PARTIAL):
    with pytest.raises(DataError, match=message) as caught:
        prepare(source, tmp_path, config)
    assert not list(tmp_path.glob("*.h5*"))
    return caught.value


def test_other_counts_are_refused(few, tmp_path):
    error = assert_refused(few, tmp_path, "collection 'BinRushed' of data set 'riga' is not complete", RigaConfig())
    assert error.found == "2"
    assert "partial=true" in error.hint


def test_a_missing_list(few, tmp_path):
    list_of(few, "Magrabia").unlink()
    assert_refused(few, tmp_path, r"label masks of RIGA\n.*Glaucoma_multirater_Magrabia.csv.*\n.*no such file")


def test_photographs_with_outlines_drawn_in_are_refused(tmp_path):
    write_picture(tmp_path / "riga" / "MESSIDOR" / "image1prime.tif", photograph((8, 8), 0))
    write_picture(tmp_path / "riga" / "MESSIDOR" / "image1-1.tif", photograph((8, 8), 0))
    assert_refused(tmp_path / "riga", tmp_path, "image1prime.tif: a photograph beside those with outlines drawn in")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("imgName,maskName,rater", "a,b,c", r"MESSIDOR.csv has other columns\n.*\n.*a, b, c"),
        ("imgName,maskName,rater", "", "has other columns"),
        ("image1-2.tif,2", "image1-2.tif,two", r"line 4: no such rater\n.*0 to 6\n.*'two'"),
        ("image1-2.tif,2", "image1-2.tif,7", "line 4: no such rater"),
        ("image1-2.tif,2", "image1-2.tif", "line 4: a field is not there"),
        ("image1-2.tif,2", "image1-2.tif,1", "line 4: rater 1 has two masks"),
        ("image1-2.tif,2", "image1-9.tif,2", "names a file that is not there\n.*image1-9.tif"),
        ("DiscRegion/MESSIDOR/image1-2.tif", "../outside.tif", "names a file outside its folder"),
        ("DiscRegion/MESSIDOR/image1.jpg,DiscRegion/MESSIDOR/image1-2", "/,image1-2", "a file that is not there"),
    ],
)
def test_a_list_that_holds_something_else(few, tmp_path, old, new, message):
    write_picture(tmp_path / "outside.tif", mask((64, 96), 1))
    list_of(few).write_text(list_of(few).read_text().replace(old, new, 1))
    assert_refused(few, tmp_path, message)


def test_one_image_under_two_spellings(few, tmp_path):
    line = list_of(few).read_text().splitlines()[2]
    with list_of(few).open("a") as file:
        file.write(line.replace("DiscRegion/", "", 1) + "\n")
    assert_refused(few, tmp_path, "lists two images of one name\n.*MESSIDOR-image1")


def test_a_list_that_is_no_text(few, tmp_path):
    list_of(few).write_bytes(b"\xff\xff\xff\x00")
    assert_refused(few, tmp_path, "is not text")


def test_a_link_out_of_the_folder(few, tmp_path):
    path = few / "DiscRegion" / "MESSIDOR" / "image1-2.tif"
    path.rename(tmp_path / "outside.tif")
    path.symlink_to(tmp_path / "outside.tif")
    assert_refused(few, tmp_path, "names a file outside its folder")


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("image1-2.tif", mask((64, 95), 2), r"another size than its image\n.*\(64, 96\)\n.*\(64, 95\)"),
        ("image1-2.tif", np.arange(96 * 64, dtype=np.uint8).reshape(64, 96), "wrong labels"),
        ("image1-2.tif", photograph((64, 96), 3), "is a mask in colours"),
        ("image1-2.tif", np.full((64, 96), 0.5, np.float32), "is a mask with fractions"),
        ("image1.jpg", mask((64, 96), 2), r"is no colour photograph\n.*RGB\n.*one channel"),
        ("image1.jpg", np.zeros((1, 5000, 3), np.uint8), "is too large"),
    ],
)
def test_a_picture_that_holds_something_else(few, tmp_path, name, values, message):
    write_picture(few / "DiscRegion" / "MESSIDOR" / name, values)
    error = assert_refused(few, tmp_path, message)
    assert name in error.what


@pytest.mark.parametrize(
    ("content", "message"), [(b"text", "is not a whole PNG"), (b"", "is not a whole PNG"), (None, "is not a whole PNG")]
)
def test_a_file_that_is_no_picture(few, tmp_path, content, message):
    path = few / "DiscRegion" / "MESSIDOR" / "image2.jpg"
    path.write_bytes(path.read_bytes()[:2000] if content is None else content)
    assert_refused(few, tmp_path, f"image2.jpg {message}")


def test_a_package_that_is_not_there_is_named_with_its_extra(few, tmp_path, monkeypatch):
    from mrbench.errors import UsageError

    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(UsageError) as caught:
        prepare(few, tmp_path, PARTIAL)
    assert caught.value.hint == "pip install 'mrbench[pictures]'"


# --- as a user


def test_from_the_files_to_a_table(mrbench, few):
    settings = ("--set", "size=32", "--set", "partial=true", "--set", "folds=3")
    result = mrbench("data", "prepare", "riga", "--source", few, *settings)
    assert result.exit_code == 0, result.output
    assert result.output.endswith("riga.h5: 6 cases of 32 x 32 pixels, 6 raters\n")
    assert mrbench("data", "verify", "riga", *settings).exit_code == 0
    options = [word for s in settings[1::2] for word in ("--set", f"riga.{s}")]
    run = mrbench("run", "--dataset", "riga", "--split", "magrabia", "--method", "majority-vote", *options)
    assert run.exit_code == 0, run.output
    assert "6 identified raters" in run.output
