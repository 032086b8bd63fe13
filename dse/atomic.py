"""Writing a file so that a reader, a full disk or a kill never leaves half of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import IO

from dse.in_use import clear, temporary_file


def write(path: Path, fill: Callable[[IO[bytes]], None], durable: bool = True) -> None:
    """Creates or replaces `path` with what `fill` writes: all of it or nothing, on the disk itself if `durable`.

    OSError names `path`. What processes that were killed while they wrote `path` left beside it is removed.
    """
    try:
        clear(path.parent, path.name)
        with temporary_file(path.parent, path.name) as (temporary, stream):
            fill(stream)
            stream.flush()
            if durable:
                os.fsync(stream.fileno())
            os.fchmod(stream.fileno(), 0o666 & ~_umask())
            os.replace(temporary, path)
    except OSError as error:
        own = error.filename is None or Path(str(error.filename)).name.startswith(f".{path.name}.")
        if own and error.errno is not None:  # without a number, an error would no longer say what it says
            error.filename, error.filename2 = str(path), None
        raise


def write_text(path: Path, text: str) -> None:
    """Creates or replaces `path` with `text` in UTF-8."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, data: bytes, durable: bool = True) -> None:
    """Creates or replaces `path` with `data`."""
    def fill(stream: IO[bytes]) -> None:
        stream.write(data)

    write(path, fill, durable)


@cache
def _umask() -> int:
    """What the process began with; it can be read by setting it alone, which other threads would see each time."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
