import pytest

from mrbench.data.odd_files import files_below, is_odd


@pytest.mark.parametrize("name", [".DS_Store", "._case1.xml", "Thumbs.db", "desktop.ini", "__MACOSX", ".git"])
def test_what_operating_systems_leave_is_no_file_of_a_data_set(tmp_path, name):
    assert is_odd(name)
    (tmp_path / "a.db").write_text("x")
    (tmp_path / "folder.db").mkdir()
    for place in (tmp_path / name, tmp_path / "folder.db" / name, tmp_path / name / "b.db"):
        place.parent.mkdir(exist_ok=True) if not place.parent.is_file() else None
        if not place.exists() and place.parent.is_dir():
            place.write_text("x")
    assert [path.name for path in files_below(tmp_path, (".db", ".xml"))] == ["a.db"]


@pytest.mark.parametrize("name", ["readme.txt", "notes.json", "a.png", "thumbs", "db"])
def test_other_names_are_not_odd(name):
    assert not is_odd(name)
