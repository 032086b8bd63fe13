"""The options of a command line that Hydra reads: which there are, and their place before the overrides."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from dse.errors import InputError

FLAGS = ("-m", "--multirun", "-r", "--run", "-c", "--cfg", "--resolve", "-p", "--package", "-cd", "--config-dir", "-i",
         "--info", "--hydra-help", "--experimental-rerun")
WITH_VALUE = ("-c", "--cfg", "-p", "--package", "-cd", "--config-dir", "--experimental-rerun")
CFG, CFG_VALUES = ("-c", "--cfg"), ("job", "hydra", "all")


def refuse_unknown_flags(arguments: Sequence[str]) -> None:
    """InputError for the first option that is unknown, lacks its value or has one that is not allowed."""
    for argument, following in zip(arguments, [*arguments, "-"][1:], strict=True):
        flag, has_value, value = argument.partition("=")
        if argument.startswith("-") and flag not in FLAGS:
            raise InputError(f"{argument} is not an option: choose one of {', '.join(FLAGS)}")
        if flag in WITH_VALUE and not has_value:
            value = "" if following.startswith("-") else following
        if flag in WITH_VALUE and not value:
            raise InputError(f"{flag} lacks its value: give one, as in {flag} {'job' if flag in CFG else 'NAME'}")
        if flag in CFG and value not in CFG_VALUES:
            raise InputError(f"{flag} {value} is not allowed: choose one of {', '.join(CFG_VALUES)}")


@contextmanager
def as_command_line(arguments: Sequence[str]) -> Iterator[None]:
    """`arguments` in the place of the process's own, for as long as the context lasts."""
    saved = sys.argv
    sys.argv = ["dse", *_flags_first(arguments)]
    try:
        yield
    finally:
        sys.argv = saved


def _flags_first(arguments: Sequence[str]) -> list[str]:
    """The same arguments with options before overrides: Hydra's parser wants the overrides in one piece."""
    flags: list[str] = []
    overrides: list[str] = []
    for place, argument in enumerate(arguments):
        value_of = place > 0 and arguments[place - 1] in WITH_VALUE
        (flags if argument.startswith("-") or value_of else overrides).append(argument)
    return [*flags, *overrides]
