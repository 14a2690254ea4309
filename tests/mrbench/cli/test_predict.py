"""``mrbench predict``: a run's methods for images of one's own; what cannot be predicted is named."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from click.testing import Result
from model_files import Document, changed
from PIL import Image

import mrbench as package
from mrbench.engine.predictions import read_draws
from mrbench.engine.run import Run
from mrbench.interfaces.draw import DrawKind
from mrbench.results.columns import RESEARCH

Call = Callable[..., Result]
TINY = {"subjects": 9, "size": 32}


@pytest.fixture(scope="module")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two folds of a diverse and personal method and of one with a single output."""
    settings = {f"phantom.{name}": value for name, value in TINY.items()}
    settings |= {"proseg.epochs": 10, "unet-majority.epochs": 1}
    out = tmp_path_factory.mktemp("predict") / "results"
    methods = ["proseg", "unet-majority"]
    done = package.run(methods, "phantom", preset="quick", settings=settings, folds=[0, 1], samples=6, limit=3, out=out)
    return done.sources[0]


@pytest.fixture
def predict(mrbench: Call, tiny_run: Run) -> Call:
    def call(name: str, *words: object) -> Result:
        return mrbench("predict", f"{tiny_run.id}:{name}", *words, "--to", "o", "--out", str(tiny_run.results))

    return call


@pytest.fixture(scope="module")
def data() -> package.CaseSet:
    return package.load_dataset("phantom", **TINY)


@pytest.fixture
def threads(tiny_run: Run) -> Iterator[None]:
    # Other numbers of threads add up in another order.
    record = tiny_run.cells[0][0].folder(tiny_run.results) / "record.json"
    before = torch.get_num_threads()
    torch.set_num_threads(json.loads(record.read_text())["environment"]["threads"])
    yield
    torch.set_num_threads(before)


def save(data: package.CaseSet, index: int, path: Path) -> Path:
    Image.fromarray(data.pixels.image(index)[0].astype(np.uint8)).save(path)
    return path


def mask(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture) > 0


def test_a_case_of_the_run_gets_the_draws_of_the_run(
    predict: Call, tiny_run: Run, data: package.CaseSet, threads: None
):
    cell = next(s.folder(tiny_run.results) for s, _ in tiny_run.cells if (s.method, s.fold) == ("proseg", 0))
    marked = 0
    case, draws = next(iter(read_draws(cell / "predictions.h5")))
    image = save(data, data.ids.index(case), Path(f"{case}.png"))
    result = predict("proseg:0", image, "--samples", "6", "--raters", "--device", "cpu")
    assert result.exit_code == 0, result.stderr
    samples = [draw for draw in draws if draw.kind is DrawKind.SAMPLE]
    firsts = {draw.rater: draw for draw in reversed(draws) if draw.rater is not None}
    names = [f"sample-{number:03d}" for number in range(6)]
    names += [f"rater-{data.description.rater_names[rater]}" for rater in firsts]
    for name, draw in zip(names, [*samples, *firsts.values()], strict=True):
        found = mask(Path("o") / case / f"{name}.png")
        marked += found.any()
        assert np.array_equal(np.packbits(found.reshape(1, -1), axis=1), draw.bits)
    assert marked == len(names), "nothing is shown by empty masks"


def test_what_was_written_is_read_back_as_predictions(predict: Call, data: package.CaseSet):
    from mrbench.external.folder import FolderSource

    save(data, 0, Path("a b.png"))
    result = predict("phantom:proseg:0:0", "a b.png", "--samples", "3", "--raters")
    assert result.exit_code == 0, result.stderr
    assert Path("o/cases.csv").read_text() == "file,case\na_b,a b\n"
    source = FolderSource(Path("o"), (), data.description)
    assert list(source.cases([])) == ["a b"]
    assert (source.form("a b").samples, source.form("a b").raters) == (3, (0, 1, 2, 3))


def test_the_output_names_the_training_the_images_and_the_notice(predict: Call, tiny_run: Run, data: package.CaseSet):
    save(data, 0, Path("a.png"))
    result = predict("unet-majority:1", "a.png")
    assert result.stdout.splitlines() == [
        f"{tiny_run.id}:phantom:unet-majority:1:0", "  a.png: spacing unknown, taken as the data set's",
        "wrote o: 1 image; picture.png in the folder of each shows its predictions", RESEARCH,
    ]  # fmt: skip
    assert sorted(path.name for path in Path("o/a").iterdir()) == [
        "consensus.png", "mean.png", "picture.png", "variance.png"
    ]  # fmt: skip


def test_a_broken_image_among_good_ones_fails_alone_and_is_named(predict: Call, data: package.CaseSet):
    Path("in").mkdir()
    save(data, 0, Path("in/a.png"))
    save(data, 1, Path("in/c.png"))
    Path("in/b.png").write_bytes(Path("in/a.png").read_bytes()[:200])
    Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save("in/rgb.png")
    Path("in/notes.txt").write_text("hello")
    result = predict("proseg:0", "in", "--samples", "2")
    assert result.exit_code == 1
    assert "in/b.png is not a whole PNG" in result.stderr
    assert "in/rgb.png has other channels" in result.stderr
    assert "wrote o: 2 images, 2 failed" in result.stdout
    assert sorted(path.name for path in Path("o").iterdir()) == ["a", "c", "cases.csv"]


def test_where_every_image_fails_nothing_is_written(predict: Call):
    Path("in").mkdir()
    for name in "ab":
        Path(f"in/{name}.png").write_text("hello")
    result = predict("proseg:0", "in")
    assert result.exit_code == 1
    assert "in/b.png is not a whole" in result.stderr
    assert "none of 2 images could be predicted" in result.stderr
    result = predict("proseg:0", "in/a.png")
    assert result.exit_code == 1
    assert "in/a.png is not a whole" in result.stderr
    assert sorted(path.name for path in Path().iterdir() if path.name != "data") == ["in"]


def test_a_name_of_several_trainings_lists_them_and_an_ensemble_takes_them(
    predict: Call, tiny_run: Run, data: package.CaseSet
):
    save(data, 0, Path("a.png"))
    result = predict("proseg", "a.png")
    assert result.exit_code == 2
    for fold in (0, 1):
        assert f"{tiny_run.id}:phantom:proseg:{fold}:0" in result.stderr
    assert predict("proseg", "a.png", "--ensemble", "--samples", "4").exit_code == 0
    for fold, numbers in ((0, (0, 2)), (1, (1, 3))):
        assert predict(f"proseg:{fold}", "a.png", "--samples", "4", "--force").exit_code == 0
        Path("o").rename(f"o{fold}")
        assert predict("proseg", "a.png", "--ensemble", "--samples", "4").exit_code == 0
        for number in numbers:
            name = f"a/sample-{number:03d}.png"
            assert np.array_equal(mask(Path("o") / name), mask(Path(f"o{fold}") / name))


def test_a_folder_that_holds_something_needs_force_which_replaces_predictions_alone(
    predict: Call, data: package.CaseSet
):
    for name in "abc":
        save(data, 0, Path(f"{name}.png"))
    Path("o").mkdir()
    assert predict("proseg:0", "a.png", "b.png", "--samples", "3").exit_code == 0
    Path("o/mine").write_text("mine")
    result = predict("proseg:0", "a.png")
    assert result.exit_code == 2
    assert "o is not empty" in result.stderr
    assert predict("proseg:0", "a.png", "--samples", "2", "--force").exit_code == 0
    assert Path("o/mine").read_text() == "mine"
    assert len([*Path("o/a").glob("sample-*")]) == 2, "none of before is left among those of now"
    assert Path("o/cases.csv").read_text() == "file,case\nb,b\na,a\n"
    Path("o/c").mkdir()
    Path("o/c/mine").write_text("mine")
    result = predict("proseg:0", "c.png", "--samples", "1", "--force")
    assert result.exit_code == 2
    assert "o holds what no mrbench predict wrote" in result.stderr
    assert Path("o/c/mine").read_text() == "mine"


def test_what_is_written_cannot_lie_among_what_is_read(predict: Call, data: package.CaseSet):
    save(data, 0, Path("a.png"))
    result = predict("proseg:0", ".")
    assert result.exit_code == 2
    assert "o lies in .: its files would be taken for images" in result.stderr


def test_a_nifti_image_of_another_spacing_and_orientation_is_marked_where_it_lies(predict: Call, data: package.CaseSet):
    # The same picture at half the spacing, once as it is and once with its columns the other way round.
    picture = data.pixels.image(0)[0].astype(np.uint8)
    fine = picture.repeat(2, axis=0).repeat(2, axis=1).T[:, :, None]
    affine = np.diag([0.7, 0.7, 1, 1])
    turned = affine @ np.array([[-1, 0, 0, 63], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    Path("in").mkdir()
    for folder, values, placed in (("p", fine, affine), ("q", fine[::-1], turned)):
        image = nibabel.Nifti1Image(values, placed)
        image.header.set_xyzt_units("mm")
        nibabel.save(image, f"{folder}.nii.gz")
    masks = []
    for name in "pq":
        shutil.copy(f"{name}.nii.gz", "in/x.nii.gz")
        result = predict("proseg:0", "in/x.nii.gz", "--samples", "1", "--force")
        assert result.exit_code == 0, result.stderr
        assert "x.nii.gz: 0.7x0.7 mm, resampled to 1.4x1.4 mm (32 x 32), and back" in result.stdout
        written = nibabel.load("o/x/sample-000.nii.gz")
        given = nibabel.load(f"{name}.nii.gz")
        assert written.shape == given.shape
        assert np.allclose(written.affine, given.affine)
        masks.append(written.get_fdata())
    assert masks[0].any()
    assert np.array_equal(masks[0], masks[1][::-1])
    save(data, 0, Path("in/x.png"))
    Path("in/x.nii.gz").unlink()
    assert predict("proseg:0", "in/x.png", "--samples", "1", "--force").exit_code == 0
    coarse = mask(Path("o/x/sample-000.png"))
    large = coarse.repeat(2, axis=0).repeat(2, axis=1).T[:, :, None]
    assert (large == masks[0]).mean() > 0.98, "only its edge is smoother"


def test_another_size_is_refused_and_tiles_or_a_centre_take_it(predict: Call, data: package.CaseSet):
    wide = np.concatenate([data.pixels.image(index)[0] for index in (0, 1)], axis=1).astype(np.uint8)
    Image.fromarray(wide).save("wide.png")
    result = predict("proseg:0", "wide.png")
    assert result.exit_code == 1
    assert "wide.png has another size than training has seen" in result.stderr
    result = predict("proseg:0", "wide.png", "--tile", "--samples", "1")
    assert "wide.png: spacing unknown, taken as the data set's; 3 windows of 32 x 32, averaged" in result.stdout
    assert mask(Path("o/wide/sample-000.png")).shape == (32, 64)
    result = predict("proseg:0", "wide.png", "--centre", "16,16", "--samples", "1", "--force")
    assert "; one window of 32 x 32, background elsewhere" in result.stdout
    half = mask(Path("o/wide/sample-000.png"))
    assert half[:, :32].any()
    assert not half[:, 32:].any()
    assert predict("proseg:0", "wide.png", "--centre", "x").exit_code == 2


def test_damaged_weights_name_repair(mrbench: Call, tiny_run: Run, data: package.CaseSet):
    shutil.copytree(tiny_run.results, "results")
    file = next(Path("results").glob("trainings/*/proseg/*/fold0-seed0/weights/*"))
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    save(data, 0, Path("a.png"))
    result = mrbench("predict", "last:proseg:0", "a.png", "--to", "o")
    assert result.exit_code == 1
    assert "cannot read the weights" in result.stderr
    assert "mrbench repair" in result.stderr
    assert not Path("o").exists()


def test_without_its_data_set_an_image_is_taken_as_it_is_and_that_is_said(
    predict: Call, data: package.CaseSet, monkeypatch: pytest.MonkeyPatch
):
    from mrbench.applying import scope
    from mrbench.errors import DataAbsentError

    def absent(*_: object) -> package.CaseSet:
        raise DataAbsentError("data set 'phantom' is not there")

    monkeypatch.setattr(scope, "load_cases", absent)
    save(data, 0, Path("a.png"))
    result = predict("proseg:0", "a.png", "--samples", "1")
    assert result.exit_code == 0
    assert "size and spacing of the images are not checked: data set 'phantom' is not there" in result.stderr


@pytest.fixture
def exported(mrbench: Call, tiny_run: Run) -> str:
    """A model file of the run's proseg of fold 0."""
    name = f"{tiny_run.id}:proseg:0"
    result = mrbench("export-model", name, "--to", "proseg.mrbench", "--out", str(tiny_run.results))
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith(f"{tiny_run.id}:phantom:proseg:0:0\nwrote proseg.mrbench: ")
    assert "mrbench info proseg.mrbench" in result.stdout
    return "proseg.mrbench"


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_model_file_writes_what_its_run_writes_without_the_run(
    mrbench: Call, predict: Call, exported: str, tiny_run: Run, data: package.CaseSet
):
    save(data, 0, Path("a.png"))
    assert predict("proseg:0", "a.png", "--samples", "3", "--raters").exit_code == 0
    Path("o").rename("of-run")
    result = mrbench("predict", exported, "a.png", "--samples", "3", "--raters", "--to", "o", "--out", "nothing-here")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines()[:2] == [
        f"{tiny_run.id}:phantom:proseg:0:0", "  a.png: spacing unknown, taken as the data set's"
    ]  # fmt: skip
    assert files_of(Path("o")) == files_of(Path("of-run"))


def test_a_model_file_knows_the_sizes_that_it_was_trained_on(mrbench: Call, exported: str, data: package.CaseSet):
    wide = np.concatenate([data.pixels.image(index)[0] for index in (0, 1)], axis=1).astype(np.uint8)
    Image.fromarray(wide).save("wide.png")
    result = mrbench("predict", exported, "wide.png", "--to", "o")
    assert result.exit_code == 1
    assert "wide.png has another size than training has seen" in result.stderr
    assert mrbench("predict", exported, "wide.png", "--tile", "--samples", "1", "--to", "o").exit_code == 0


def test_a_stranger_reads_what_a_model_file_is_without_running_it(
    mrbench: Call, exported: str, tiny_run: Run, monkeypatch: pytest.MonkeyPatch
):
    from mrbench.registry import Plugin

    monkeypatch.setattr(Plugin, "load", lambda _: pytest.fail("code was loaded"))
    result = mrbench("info", exported)
    assert result.exit_code == 0
    for part in ("# proseg, trained on phantom", RESEARCH, "- licence: ", "- ged ↓ ", "tight, generous, smooth, halo"):
        assert part in result.stdout
    facts = json.loads(mrbench("info", exported, "--json").stdout)
    assert facts["name"] == f"{tiny_run.id}:phantom:proseg:0:0"
    assert facts["spec"]["method"] == "proseg"


def test_what_a_card_hides_is_spelt_out(mrbench: Call, exported: str):
    def change(document: Document, members: dict[str, bytes]) -> None:
        members["card.md"] = "# good\x1b[2Jevil\u202e\n".encode()

    changed(Path(exported), Path("odd.mrbench"), change)
    assert mrbench("info", "odd.mrbench").stdout == "# good\\x1b[2Jevil\\u202e\n"


def test_a_model_file_of_other_code_is_refused_and_marks_its_outputs_where_it_is_accepted(
    mrbench: Call, exported: str, data: package.CaseSet
):
    def change(document: Document, members: dict[str, bytes]) -> None:
        document["model"]["spec"]["prediction_code"] = "0" * 64

    changed(Path(exported), Path("other.mrbench"), change)
    save(data, 0, Path("a.png"))
    result = mrbench("predict", "other.mrbench", "a.png", "--to", "o")
    assert result.exit_code == 1
    assert "other.mrbench was trained with other code than is installed here" in result.stderr
    assert "--other-code" in result.stderr
    assert not Path("o").exists()
    result = mrbench("predict", "other.mrbench", "a.png", "--to", "o", "--samples", "1", "--other-code")
    assert result.exit_code == 0, result.stderr
    assert "predicted by other code than it was trained with: code " in result.stderr
    marked = Path("o/a/other-code.txt").read_text()
    assert "in place of code 0000000000000000 of proseg" in marked
    assert mrbench("predict", exported, "a.png", "--to", "same", "--samples", "1", "--other-code").exit_code == 0
    assert not Path("same/a/other-code.txt").exists(), "it is of the code that is here"
    assert Path("same/a/picture.png").read_bytes() != Path("o/a/picture.png").read_bytes()


def test_an_ensemble_of_a_model_file_and_one_that_is_there_are_refused(mrbench: Call, exported: str, tiny_run: Run):
    Path("a.png").touch()
    result = mrbench("predict", exported, "a.png", "--ensemble", "--to", "o")
    assert result.exit_code == 2
    assert "--ensemble is for trainings of a run" in result.stderr
    name = f"{tiny_run.id}:proseg:0"
    result = mrbench("export-model", name, "--to", exported, "--out", str(tiny_run.results))
    assert result.exit_code == 2
    assert "is there already" in result.stderr
    result = mrbench("export-model", f"{tiny_run.id}:proseg", "--to", "n", "--out", str(tiny_run.results))
    assert result.exit_code == 2
    assert "means 2 trainings" in result.stderr


def test_a_broken_image_among_good_ones_fails_alone_with_a_model_file_too(
    mrbench: Call, exported: str, data: package.CaseSet
):
    save(data, 0, Path("a.png"))
    Path("b.png").write_bytes(Path("a.png").read_bytes()[:200])
    result = mrbench("predict", exported, "a.png", "b.png", "--samples", "1", "--to", "o")
    assert result.exit_code == 1
    assert "b.png is not a whole PNG" in result.stderr
    assert sorted(path.name for path in Path("o").iterdir()) == ["a", "cases.csv"]


def test_what_is_neither_a_run_nor_a_model_file_says_so(mrbench: Call, data: package.CaseSet):
    save(data, 0, Path("a.png"))
    result = mrbench("predict", "a.png", "a.png", "--to", "o")
    assert result.exit_code == 1
    assert "cannot read the model a.png" in result.stderr
    result = mrbench("info", "a.png")
    assert "cannot read the model a.png" in result.stderr
    result = mrbench("predict", "gone.mrbench", "a.png", "--to", "o")
    assert result.exit_code == 2
    assert "unknown run 'gone.mrbench'" in result.stderr
    assert "mrbench export-model" in result.stderr
