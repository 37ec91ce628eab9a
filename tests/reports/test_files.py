"""Reports in files: whole, or not at all."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from auditor.errors import UsageError
from auditor.reports.files import write_all


def test_all_are_written_and_nothing_else_stays(tmp_path: Path) -> None:
    write_all({tmp_path / "a.sarif": b"a", tmp_path / "b.html": b"b"})
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"a.sarif": b"a", "b.html": b"b"}


def test_one_that_cannot_be_written_leaves_the_others_as_they_were(tmp_path: Path) -> None:
    old = tmp_path / "a.sarif"
    old.write_bytes(b"old")
    with pytest.raises(UsageError, match=r"no/b\.html: could not be written: No such file or directory"):
        write_all({old: b"new", tmp_path / "no/b.html": b"b"})
    assert [file.name for file in tmp_path.iterdir()] == ["a.sarif"]
    assert old.read_bytes() == b"old"


def test_a_full_disk_leaves_no_half_of_a_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, mode: str) -> object:
        os.write(descriptor, b"ha")
        os.close(descriptor)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(UsageError, match="a: could not be written: No space left on device"):
        write_all({tmp_path / "a": b"half"})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_a_new_file_has_the_mode_of_new_files(tmp_path: Path, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        write_all({tmp_path / "a": b""})
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == mode


def test_an_old_file_keeps_its_mode_and_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "real").chmod(0o640)
    (tmp_path / "link").symlink_to("real")
    write_all({tmp_path / "link": b"new"})
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "real").stat().st_mode) == 0o640


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_file_that_may_not_be_written_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "a").chmod(0o444)
    with pytest.raises(UsageError, match="Permission denied"):
        write_all({tmp_path / "a": b"new"})
    assert (tmp_path / "a").read_bytes() == b"old"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="could not be written: Is a directory"):
        write_all({tmp_path: b""})


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    write_all({tmp_path / "pipe": b"report"})
    reader.join(10)
    assert got == [b"report"]
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
