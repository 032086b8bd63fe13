"""What a server's software takes beside the devices: the loop that drives the steps, and the front end.

One loop prepares a step, starts it and takes up its results; most of that goes on beside the devices' work on another
step. A front end, a single process, takes a request in and writes each token to its client, one after the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from dse.fields import Field, Table
from dse.units import MICRO, MILLI


class Server(NamedTuple):
    """Times of a server's software, the same for every device and model that it drives.

    `request_s` passes between a client's sending and the loop's seeing a request. A step takes the loop `step_s`,
    `sequence_s` for each running request and `prompt_s` for each prompt, whole or cut, that it takes up: its request is
    set up and dealt to the devices' processes, and the pass is launched kernel by kernel, without a graph.
    `unhidden_share` of the shorter of the loop's and the devices' time is not hidden by the longer. The front end takes
    `token_s` for each token of an answer.
    """

    request_s: float
    step_s: float
    sequence_s: float
    prompt_s: float
    unhidden_share: float
    token_s: float


def _time(key: str, scale: float, meaning: str) -> Field:
    stem, _, unit = key.rpartition("_")
    return Field(key, f"{stem}_s", meaning, scale, closed=True, constant=True, unit=unit)


SERVER = Table(
    "server",
    Server,
    (
        _time("request_ms", MILLI, "from a client to the engine"),
        _time("step_ms", MILLI, "the loop's time for a step"),
        _time("sequence_us", MICRO, "added to it for each running request"),
        _time("prompt_ms", MILLI, "added to it for each prompt that is taken up"),
        Field("unhidden_share", "unhidden_share", "share of the shorter of loop and devices not hidden by the longer",
              maximum=1.0, closed=True, constant=True, unit="share"),
        _time("token_us", MICRO, "the front end's time for a token"),
    ),
    choices=("name",),
).checked()


def server(raw: Mapping[str, Any]) -> Server:
    """The server that a file of `conf/server` describes; InputError where a value is missing or not allowed."""
    read: Server = SERVER.read(raw)
    return read


def no_server() -> Server:
    """Software that takes no time."""
    return Server(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def loop_s(by: Server, sequences: float, prompts: float) -> float:
    """The loop's time for a step of `sequences` running requests that takes up `prompts` more."""
    return by.step_s + by.sequence_s * sequences + by.prompt_s * prompts


def paced_s(by: Server, device_s: float, host_s: float) -> float:
    """Time from step to step, with the form of an operator's time (`roofline`).

        max( device, loop ) + unhidden_share min( device, loop )
    """
    return max(device_s, host_s) + by.unhidden_share * min(device_s, host_s)
