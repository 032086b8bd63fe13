"""CSV written part by part is that of pyarrow in one go."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv

from dse.cli import csv_text, progress
from dse.cli.csv_text import csv_parts
from dse.cli.run_folder import write_csv


@pytest.mark.parametrize("rows", [0, 1, 7, 8, 61])
def test_parts_are_the_whole(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_text, "PART", 7)
    monkeypatch.setattr(csv_text, "TOGETHER", 3)
    table = pa.table({"name": np.array([f"no, {place}" for place in range(rows)], dtype=object),
                      "value": np.linspace(-1e-9, 1e22, rows), "count": np.arange(rows)})
    whole = io.BytesIO()
    csv.write_csv(table, whole)
    parts = list(csv_parts(table))
    assert b"".join(bytes(text) for _, text in parts) == whole.getvalue()
    assert [end for end, _ in parts] == [*range(7, rows, 7), rows]


def test_a_large_file_says_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                         capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(csv_text, "PART", 25)
    monkeypatch.setattr(progress, "BETWEEN_LINES_S", 0.0)
    write_csv(tmp_path / "results.csv", pa.table({"value": np.arange(100)}))
    assert (tmp_path / "results.csv").read_text().split() == ['"value"', *map(str, range(100))]
    said = capsys.readouterr().err.splitlines()
    assert [line.split(",")[0] for line in said] == [f"{share}.0% of the rows of results.csv" for share in
                                                     (25, 50, 75, 100)]
