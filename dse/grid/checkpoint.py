"""How far a run over many grids has come, on disk, so that the same command goes on where it was interrupted."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from dse.atomic import write
from dse.errors import InputError
from dse.grid.bounded import Bounded
from dse.grid.boxes import Boxes, Integers
from dse.grid.cache import fingerprint
from dse.grid.exact import State
from dse.grid.front import Front, Objective
from dse.grid.grid import Grid
from dse.grid.stream import BLOCK, Progress

STREAMED, BOUNDED = "streamed", "bounded"


class Finished(NamedTuple):
    """The places of a front that is exact, and how many designs were evaluated for it."""

    places: Integers
    evaluated: int


class Kept(NamedTuple):
    """The fronts that are finished, in their order, and how far the next one is; None where it has not begun."""

    finished: tuple[Finished, ...] = ()
    now: State | None = None


def identity(grids: Iterable[Grid], objectives: Sequence[tuple[Objective, ...]]) -> str:
    """A name for these grids, these objectives and this version of the model: what was kept of others does not fit."""
    known = hashlib.sha256(repr((objectives, BLOCK, fingerprint())).encode())
    for grid in grids:
        known.update(repr((grid.base, [(axis.index, len(axis.values)) for axis in grid.axes])).encode())
        for axis in grid.axes:
            known.update(np.array(axis.values).tobytes())
    return known.hexdigest()


def save(path: Path, kept: Kept, name: str) -> None:
    """Write what is `kept` of the run `name` to `path`, whole or not at all."""
    finished = kept.finished
    parts: dict[str, Any] = {
        "identity": name,
        "places": np.concatenate([one.places for one in finished]) if finished else np.empty(0, dtype=np.int64),
        "finished": np.array([(len(one.places), one.evaluated) for one in finished], dtype=np.int64).reshape(-1, 2)}
    if kept.now is not None:
        front, counts = kept.now.front, [number for number in kept.now if isinstance(number, int)]
        parts |= {"kind": BOUNDED if isinstance(kept.now, Bounded) else STREAMED, "counts": np.array(counts),
                  "front_places": front.places, "front_values": front.values}
    if isinstance(kept.now, Bounded):
        parts["left"] = np.array(kept.now.left)
        for place, boxes in enumerate(kept.now.open):
            parts |= {f"low{place}": boxes.low, f"high{place}": boxes.high}

    def fill(stream: IO[bytes]) -> None:
        np.savez(stream, allow_pickle=False, **parts)

    write(path, fill)


def load(path: Path, name: str) -> Kept | None:
    """What was kept of the run `name` at `path`; None where nothing was. InputError where it is of another run."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            parts = {part: kept[part] for part in kept.files}
        same = str(parts["identity"]) == name
        lengths, evaluated = parts["finished"].T
        places = np.split(parts["places"], np.cumsum(lengths)[:-1]) if len(lengths) else []
        finished = tuple(Finished(own, int(count)) for own, count in zip(places, evaluated, strict=True))
        now = _state(parts)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is no saved progress: remove it to start again") from error
    if not same:
        raise InputError(f"{path} is of another sweep or another version of the model: remove it to start again")
    return Kept(finished, now)


def _state(parts: dict[str, Any]) -> State | None:
    if "kind" not in parts:
        return None
    front = Front(parts["front_places"], parts["front_values"])
    first, second, third = (int(count) for count in parts["counts"])
    if str(parts["kind"]) == STREAMED:
        return Progress(first, second, third, front)
    left = tuple(parts["left"].tolist())
    boxes = tuple(Boxes(parts[f"low{place}"], parts[f"high{place}"]) for place in range(len(left)))
    return Bounded(front, first, second, third, boxes, left)
