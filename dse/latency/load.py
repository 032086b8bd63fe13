"""What clients ask of a server, and how its engine is set up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from dse.errors import InputError
from dse.fields import Field, Table, count
from dse.latency.server import Server

MOST_REQUESTS = 10**6  # about two minutes


class Load(NamedTuple):
    """What clients ask and how the engine is set up.

    Each of `clients` sends `requests_each` requests on average, the next when the last is answered, all beginning at
    once; whoever is answered first takes the next of them all. Prompts and outputs lie evenly between `shortest_share`
    of the traffic's and the traffic's, at least a token each. The engine works on `slots` requests at a time and takes
    `step_tokens` tokens in a step; a prompt may be cut to fit where `chunked`. `server` is the software that does it.
    """

    clients: int
    requests_each: int
    shortest_share: float
    slots: int
    step_tokens: int
    chunked: bool
    server: Server


class _Numbers(NamedTuple):
    clients: float
    requests_each: float
    shortest_share: float
    slots: float
    step_tokens: float
    chunked: float


SERVING = Table(
    "serving",
    _Numbers,
    (
        count("clients", "clients", "clients, each with one request on its way or in work"),
        count("requests_each", "requests_each", "requests of each client, on average"),
        Field("shortest_share", "shortest_share", "shortest request over the longest", maximum=1.0),
        Field("slots", "slots", "requests in work at a time; as many as clients if none are given", minimum=1.0,
              closed=True, integer=True, default=0.0),
        count("step_tokens", "step_tokens", "most tokens in a step"),
        Field("chunked", "chunked", "whether a prompt may be cut to fit a step", boolean=True),
    ),
).checked()


def load(raw: Mapping[str, Any], by: Server) -> Load:
    """The load that the group `serving` describes, on the software `by`; InputError for an impossible value."""
    asked = SERVING.read(raw)
    if asked.clients * asked.requests_each > MOST_REQUESTS:
        raise InputError(f"serving.clients={asked.clients:.0f} with serving.requests_each={asked.requests_each:.0f} is "
                         f"not allowed: together at most {MOST_REQUESTS:,} requests, each of which is followed")
    slots = asked.slots if asked.slots > 0.0 else asked.clients
    return Load(int(asked.clients), int(asked.requests_each), asked.shortest_share, int(slots), int(asked.step_tokens),
                asked.chunked > 0.0, by)
