"""A table of pyarrow as CSV, worked out in parts on all processors."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

PART = 50_000  # rows: some 20 MB of text
TOGETHER = 10_000  # rows that pyarrow turns into text together; its own 1,024 take half as long again


def csv_parts(table: Any) -> Iterator[tuple[int, Any]]:
    """The text in order, part by part, each with the number of rows up to its end; the first has the head."""
    if len(table) <= PART:
        yield len(table), _text(table, True)
        return
    from dse.grid.compiled import processors

    starts, ahead = iter(range(0, len(table), PART)), deque[tuple[int, Future[Any]]]()
    with ThreadPoolExecutor(processors()) as pool:
        while True:
            while len(ahead) <= processors() and (start := next(starts, None)) is not None:
                ahead.append((min(start + PART, len(table)), pool.submit(_text, table.slice(start, PART), start == 0)))
            if not ahead:
                return
            end, text = ahead.popleft()
            yield end, text.result()


def _text(rows: Any, head: bool) -> Any:
    import pyarrow as pa
    from pyarrow import csv

    stream = pa.BufferOutputStream()
    csv.write_csv(rows, stream, csv.WriteOptions(include_header=head, batch_size=TOGETHER))
    return stream.getvalue()
