from pathlib import Path

import platformdirs

from mrbench.data.folder import data_folder


def test_the_option_comes_first(monkeypatch):
    monkeypatch.setenv("MRBENCH_DATA", "/from/environment")
    assert data_folder(Path("/from/option")) == Path("/from/option")


def test_the_environment_comes_next(monkeypatch):
    monkeypatch.setenv("MRBENCH_DATA", "/from/environment")
    assert data_folder(None) == Path("/from/environment")


def test_home_is_expanded(monkeypatch):
    monkeypatch.setenv("HOME", "/home/reader")
    assert data_folder(Path("~/data")) == Path("/home/reader/data")


def test_the_users_data_folder_comes_last(monkeypatch):
    monkeypatch.setenv("MRBENCH_DATA", "")
    assert data_folder() == Path(platformdirs.user_data_dir("mrbench"))
