"""What holds of every public release: what is written in its layout is read, and nothing else is taken for it."""

import re
import shutil
import zipfile
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from released_files import PUBLIC, SHAPE, VOLUME, Masks, Public, save, save_gzipped, save_volume

from mrbench.cards import load_attribute
from mrbench.data.caseset import CaseSet
from mrbench.data.checks import check_cases
from mrbench.errors import DataAbsentError, DataError


@dataclass(frozen=True)
class Small:
    """One release in small, on disk."""

    public: Public
    source: Path
    folder: Path
    masks: Masks

    @property
    def release(self):
        return load_attribute(self.public.release)

    def config(self, **options):
        return load_attribute(self.release.card.config)(**options)

    def prepare(self, source: Path | None = None, **options) -> str:
        self.folder.mkdir(exist_ok=True)
        return self.release.prepare(source or self.source, self.folder, self.config(**options))

    def load(self, **options) -> CaseSet:
        return self.release.load(self.config(**options), self.folder)


@pytest.fixture(params=PUBLIC, ids=lambda public: public.name)
def small(request, tmp_path, monkeypatch) -> Small:
    """A release whose counts are those of the files that are written."""
    public = request.param
    module, attribute = public.release.split(":")
    release = getattr(import_module(module), attribute)
    counted = {"counts": public.counts} if hasattr(release.files, "counts") else {"count": public.counts[""]}
    patched = replace(release, files=replace(release.files, **counted))
    monkeypatch.setattr(f"{module}.{attribute}", patched)
    source = tmp_path / "above" / "source"
    return Small(public, source, tmp_path / "data", public.write(source))


def refused(small: Small, message: str, source: Path | None = None, **options) -> DataError:
    with pytest.raises(DataError, match=message) as caught:
        small.prepare(source, **options)
    assert not list(small.folder.glob("*.h5*"))
    return caught.value


def write_mask(path: Path, values: np.ndarray) -> None:
    """In the format of the file that is there."""
    if path.name.endswith((".nii", ".nii.gz")):
        save_volume(path, values)
    elif path.name.endswith(".gz"):
        save_gzipped(path, values)
    else:
        save(path, values)


def of_the_release(small: Small) -> tuple[int, ...]:
    return VOLUME if small.release.unit == "volume" else SHAPE


def test_masks_are_those_that_were_written(small):
    assert small.prepare().startswith(f"wrote {small.folder / small.public.name}.h5: {len(small.masks)} cases of ")
    cases = small.load()
    assert set(cases.ids) == set(small.masks)
    for index, name in enumerate(cases.ids):
        stored, present = cases.pixels.masks(index), cases.present[index]
        assert np.flatnonzero(present).tolist() == sorted(small.masks[name])
        for rater, mask in small.masks[name].items():
            np.testing.assert_array_equal(stored[rater], mask)
        assert not stored[~present].any()
    check_cases(cases)


def test_splits_keep_subjects_together_and_the_published_ones_cover_all_cases(small):
    small.prepare()
    cases = small.load()
    for name, split in cases.splits.items():
        if not name.startswith("published"):
            split.check(cases.subjects, owner=cases.description.name)
            assert split.leak_warnings(cases.subjects, owner="") == []
        for fold in split.folds:
            assert sorted(np.concatenate(list(fold.parts().values())).tolist()) == list(range(len(cases)))
    assert set(cases.splits) == {"strict", *small.release.published}


def test_conformance(small, mrbench):
    small.prepare()
    result = mrbench("check", small.public.name, "--data", small.folder)
    assert result.exit_code == 0, result.output
    beside = set(re.findall(r"not applicable +([a-z-]+)", result.output))
    assert all(name.startswith("redraws-") for name in beside), beside


def test_a_data_set_that_is_not_prepared_says_what_to_get_and_how(small, mrbench):
    with pytest.raises(DataAbsentError, match="is not prepared") as caught:
        small.load()
    command = f"mrbench data prepare {small.public.name} --source"
    assert caught.value.hint.startswith(f"{command} FOLDER, where FOLDER holds ")
    told = "".join(mrbench("data", "info", small.public.name).output.split())  # lines break in the middle of names
    assert f"{command} PATH".replace(" ", "") in told
    assert small.release.card.source.replace(" ", "") in told


def test_odd_files_stop_nothing(small):
    small.prepare()
    before = small.load().compute_digest()
    for folder in {small.source, *(path.parent for path in small.source.rglob("*"))}:
        for name in ("Thumbs.db", ".DS_Store", "README.txt", f"._{Path(small.public.image).name}"):
            (folder / name).write_bytes(b"odd")
    shutil.copytree(small.source, small.source.parent / "copy")
    shutil.move(small.source.parent / "copy", small.source / "__MACOSX")
    small.prepare()
    assert small.load().compute_digest() == before


def test_the_folder_above_is_read_as_well(small):
    small.prepare()
    before = small.load().compute_digest()
    small.prepare(small.source.parent)
    assert small.load().compute_digest() == before


@pytest.mark.parametrize("small", [public for public in PUBLIC if public.part], ids=lambda p: p.name, indirect=True)
def test_a_folder_within_the_release_is_refused(small):
    error = refused(small, "is only a part of|does not hold|lacks a list", small.source / small.public.part)
    assert error.hint.startswith((f"--source {small.source}", f"mrbench data prepare {small.public.name} --source"))


def test_an_archive_is_to_be_unpacked(small, tmp_path):
    archive = tmp_path / "release.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a", "b")
    error = refused(small, "is no folder", archive)
    assert "unpacked" in error.expected
    folder = tmp_path / "packed"
    folder.mkdir()
    shutil.move(archive, folder / "release.zip")
    assert "release.zip: not unpacked" in refused(small, "release", folder).found


def test_another_folder_is_refused(small, tmp_path):
    save(tmp_path / "other" / "1.png", np.zeros((4, 4), np.uint8))
    assert "1.png" in refused(small, "does not hold|lacks a list", tmp_path / "other").found


def test_half_of_the_release_is_told_by_its_counts(small):
    (small.source / small.public.image).unlink()
    error = refused(small, "not complete|lacks a file")
    assert "partial=true" in error.hint
    small.prepare(partial=True)
    cases = small.load(partial=True)
    assert small.public.case not in cases.ids
    assert cases.description.name == f"{small.public.name}-partial"


def test_a_missing_mask_is_an_absent_rater_in_part_alone(small):
    (small.source / small.public.mask).unlink()
    if small.public.hidden:
        small.prepare()
        cases = small.load()
    else:
        error = refused(small, "lacks")
        assert Path(small.public.mask).name.partition(".")[0].removesuffix("glsusp") in error.expected
        small.prepare(partial=True)
        cases = small.load(partial=True)
    index = cases.ids.index(small.public.case)
    assert not cases.present[index, small.public.rater]
    assert cases.present[index].sum() == len(small.masks[small.public.case]) - 1


def test_a_mask_of_another_size(small):
    shape = of_the_release(small)
    write_mask(small.source / small.public.mask, np.zeros((*shape[:-1], shape[-1] + 2), np.uint8))
    assert Path(small.public.mask).name in refused(small, "another size than its image").what


def test_a_mask_of_unexpected_values(small):
    shape = of_the_release(small)
    if small.public.name.startswith("ima"):
        shape = (shape[0] + 2, shape[1])
    values = np.zeros(shape, np.uint8)
    values[..., :2] = 77
    values[..., 2:4] = 99
    write_mask(small.source / small.public.mask, values)
    error = refused(small, "values that stand for nothing")
    assert error.found == ("0, 1, 2" if small.public.mask.endswith(".gif") else "0, 77, 99")  # a GIF's palette indices


def test_a_file_that_is_cut_short(small):
    path = small.source / small.public.image
    path.write_bytes(path.read_bytes()[:-100])
    refused(small, f"{path.name} (is not a whole|is cut short)|{path.name} is not")


def test_a_link_out_of_the_folder(small, tmp_path):
    path = small.source / small.public.mask
    shutil.move(path, tmp_path / path.name)
    path.symlink_to(tmp_path / path.name)
    refused(small, "is a link to outside of its folder")


def test_two_copies_of_the_release_are_not_mixed(small):
    shutil.copytree(small.source, small.source / "copy")
    refused(small, "two files")


def test_who_the_raters_are_is_chosen_when_the_data_are_read(small):
    small.prepare()
    default = small.config().raters
    other = "identified" if default == "exchangeable" else "exchangeable"
    cases = small.load(raters=other)
    assert cases.description.raters == other
    assert cases.digest != small.load().digest
    assert cases.digest == cases.compute_digest()
