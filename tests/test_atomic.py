"""Files appear whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import pytest

from dse.atomic import write, write_text


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    write_text(path, "one")
    write_text(path, "two")
    assert path.read_text() == "two"
    assert [one.name for one in tmp_path.iterdir()] == ["result.json"]


def test_a_failure_half_way_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    write_text(path, "one")

    def fail(stream: IO[bytes]) -> None:
        stream.write(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write(path, fail)
    assert path.read_text() == "one"
    assert [one.name for one in tmp_path.iterdir()] == ["result.json"]


def test_permissions_are_those_of_a_plain_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    write_text(tmp_path / "atomic", "")
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_the_error_names_the_file_that_was_asked_for(tmp_path: Path) -> None:
    def fail(stream: IO[bytes]) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left") as raised:
        write(tmp_path / "result.json", fail)
    assert raised.value.filename == str(tmp_path / "result.json")
    with pytest.raises(FileNotFoundError) as raised:
        write_text(tmp_path / "missing" / "result.json", "")
    assert raised.value.filename == str(tmp_path / "missing" / "result.json")


def test_an_error_that_names_another_file_keeps_its_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as raised:
        write(tmp_path / "copy", lambda _: print((tmp_path / "original").read_bytes()))
    assert raised.value.filename == str(tmp_path / "original")


def test_a_temporary_that_another_process_removes_is_an_error_of_the_file_alone(tmp_path: Path) -> None:
    def lose(stream: IO[bytes]) -> None:
        for path in tmp_path.iterdir():
            path.unlink()

    with pytest.raises(FileNotFoundError) as raised:
        write(tmp_path / "result.json", lose)
    assert raised.value.filename == str(tmp_path / "result.json")


def test_what_a_killed_process_left_goes_with_the_next_write(tmp_path: Path) -> None:
    (tmp_path / ".result.json.abcd1234.part").write_text("half")
    (tmp_path / ".other.json.abcd1234.part").write_text("half")
    write_text(tmp_path / "result.json", "one")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".other.json.abcd1234.part", "result.json"]
