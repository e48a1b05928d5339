"""Output files are complete or not there, and replace nothing unless told to."""

import os
import stat
from pathlib import Path

import pytest

import tilewise as tw
from tilewise._files import check_outputs, outputs, replaced

pytestmark = pytest.mark.once


def write(folder, names, force=False, **contents):
    with outputs(folder, names, force) as unfinished:
        for name, text in contents.items():
            (unfinished / name).write_text(text)


def test_files_arrive_in_a_folder_that_is_made(tmp_path):
    folder = tmp_path / "a" / "b"
    write(folder, ["x"], x="new")
    assert (folder / "x").read_text() == "new"
    assert os.listdir(folder) == ["x"]


def test_other_users_may_read_them_as_the_umask_says(tmp_path):
    old = os.umask(0o022)
    try:
        tw.Trainer(2).save(tmp_path / "model.npz")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "model.npz").stat().st_mode) == 0o644


def test_a_file_that_is_there_is_kept_without_force(tmp_path):
    (tmp_path / "x").write_text("mine")
    with pytest.raises(FileExistsError, match=r"x exists; choose another, or --force"):
        write(tmp_path, ["x"], x="new")
    assert (tmp_path / "x").read_text() == "mine"
    assert os.listdir(tmp_path) == ["x"]
    write(tmp_path, ["x"], force=True, x="new")
    assert (tmp_path / "x").read_text() == "new"


def test_a_file_that_appears_during_the_work_is_kept(tmp_path):
    with pytest.raises(FileExistsError), outputs(tmp_path, ["x"], force=False) as unfinished:
        (unfinished / "x").write_text("new")
        (tmp_path / "x").write_text("mine")
    assert (tmp_path / "x").read_text() == "mine"


def test_an_error_changes_nothing(tmp_path):
    (tmp_path / "x").write_text("mine")
    with pytest.raises(ZeroDivisionError), outputs(tmp_path, ["x"], force=True) as unfinished:
        (unfinished / "x").write_text("half")
        raise ZeroDivisionError
    assert (tmp_path / "x").read_text() == "mine"
    assert os.listdir(tmp_path) == ["x"]


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_after_an_error_no_new_folder_stays(tmp_path, error):
    with pytest.raises(error), outputs(tmp_path / "a" / "b", ["x"], force=False) as unfinished:
        (unfinished / "x").write_text("half")
        raise error
    assert os.listdir(tmp_path) == []
    with pytest.raises(OSError, match="File name too long"):
        write(tmp_path / "a" / ("x" * 300), ["x"], x="new")
    assert os.listdir(tmp_path) == []


def test_after_an_error_folders_stay_that_are_not_new_or_not_empty(tmp_path):
    (tmp_path / "mine").mkdir()
    folder = tmp_path / "mine" / "a" / "b"
    with pytest.raises(ZeroDivisionError), outputs(folder, ["x"], force=False):
        (tmp_path / "mine" / "a" / "other").write_text("of another program")
        raise ZeroDivisionError
    assert os.listdir(tmp_path / "mine") == ["a"]
    assert os.listdir(tmp_path / "mine" / "a") == ["other"]
    with pytest.raises(ZeroDivisionError), outputs(tmp_path / "mine", ["x"], force=False):
        (tmp_path / "mine" / "a" / "other").unlink()
        (tmp_path / "mine" / "a").rmdir()
        raise ZeroDivisionError
    assert os.listdir(tmp_path) == ["mine"]


def test_a_file_of_an_earlier_run_that_is_not_written_again_goes(tmp_path):
    write(tmp_path, ["x", "y"], x="1", y="1")
    write(tmp_path, ["x", "y"], force=True, x="2")
    assert os.listdir(tmp_path) == ["x"]


def test_a_link_is_replaced_and_what_it_leads_to_is_not(tmp_path):
    other = tmp_path / "other"
    other.write_text("mine")
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "x").symlink_to(other)
    write(folder, ["x"], force=True, x="new")
    assert other.read_text() == "mine"
    assert not (folder / "x").is_symlink()


def test_what_is_no_folder_or_no_file_is_refused(tmp_path):
    with pytest.raises(NotADirectoryError, match="/dev/null is not a folder"):
        check_outputs(Path("/dev/null/x"), ["a"], force=True)
    (tmp_path / "a").mkdir()
    with pytest.raises(IsADirectoryError, match="is a folder, not a file"):
        check_outputs(tmp_path, ["a"], force=True)


def test_an_error_of_the_system_names_the_folder(tmp_path):
    with pytest.raises(OSError, match="cannot be written: File name too long; choose another"):
        write(tmp_path / ("x" * 300), ["a"], a="")


def test_a_file_that_is_not_finished_leaves_the_old_one(tmp_path):
    path = tmp_path / "x"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), replaced(path) as unfinished:
        unfinished.write_text("half")
        raise ZeroDivisionError
    assert os.listdir(tmp_path) == ["x"] and path.read_text() == "old"


def test_a_trainer_makes_no_folders(tmp_path):
    with pytest.raises(FileNotFoundError, match="missing is not a folder; make it first"):
        tw.Trainer(2).save(tmp_path / "missing" / "model.npz")
    assert os.listdir(tmp_path) == []
