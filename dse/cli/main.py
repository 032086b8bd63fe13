"""`dse VERB ...`: finds the verb, and turns every failure into one sentence and an exit status."""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Callable, Sequence

from dse.errors import InputError
from dse.version import __version__

VERBS = {
    "evaluate": "one design: latency, area, cost, performance per cost, without and with the technique",
    "explain": "what stands behind a number of the bill: equation, constants, intervals, sources",
    "sweep": "a grid of designs: results table, exact Pareto front, best points, figure",
    "search": "an Optuna study of a space: resumable, exact steps beside the sampler, a certificate",
    "uncertainty": "how sure the answer is: bands, the best as a distribution, the assumptions that decide",
    "studies": "what is saved: list, show, compare, export, delete",
    "plot": "the figures of a saved sweep, drawn again",
    "validate": "published and measured figures beside ours; fails where a tolerance is missed",
}
BAD_INPUT, FAILED, INTERRUPTED = 2, 1, 130
USAGE = """usage: dse VERB [OVERRIDE ...] [--config-dir DIR]

Design-space exploration and cost optimisation for LLM-serving accelerators.

verbs:
{verbs}

  dse VERB --help   what a verb takes, with examples
  dse --version     the version
"""


def entry() -> None:
    """The console script."""
    sys.exit(main(sys.argv[1:]))


def main(arguments: Sequence[str]) -> int:
    """Runs the command line and returns its exit status: 0, 1 failed, 2 bad input, 130 interrupted."""
    try:
        return _flushed(_status(arguments))
    except InputError as error:
        return _fail(str(error), BAD_INPUT)
    except KeyboardInterrupt as interrupt:
        return _fail(str(interrupt) or "interrupted", INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()  # the reader has gone; nothing is left to say
        return FAILED
    except OSError as error:
        return _fail(f"{_place(error)}: {error.strerror or error}", FAILED)


def _status(arguments: Sequence[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(USAGE.format(verbs="\n".join(f"  {verb:13}{text}" for verb, text in VERBS.items())), end="")
        return 0 if arguments else BAD_INPUT
    if arguments[0] == "--version":
        print(f"dse {__version__}")
        return 0
    verb, *rest = arguments
    if verb not in VERBS:
        return _fail(f"{verb} is not a verb: choose one of {', '.join(VERBS)}", BAD_INPUT)
    module = importlib.import_module(f"dse.cli.{verb}")
    if {"-h", "--help"} & set(rest):
        print((module.__doc__ or "").partition("\n")[2].strip())
        return 0
    run: Callable[[Sequence[str]], int] = module.run
    return run(rest)


def _flushed(status: int) -> int:
    sys.stdout.flush()
    return status


def _place(error: OSError) -> str:
    """The file that the system's error is about.

    Writing to an open file raises an error without its name: it is then that of the nearest file at hand where it was
    raised, or standard output where that code prints.
    """
    if error.filename is not None:
        return str(error.filename)
    from traceback import walk_tb  # a hundredth of a second, which --version does not need

    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    for value in (value for frame in reversed(frames) for value in frame.f_locals.values()):
        if isinstance(value, io.IOBase) and isinstance(getattr(value, "name", None), str):
            return str(value.name)  # type: ignore[attr-defined]
    if {"stdout", "print"} & set(frames[-1].f_code.co_names):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python tries again at its end, and says so
        return "standard output"
    return "the system"


def _fail(sentence: str, status: int) -> int:
    print(f"dse: {sentence}", file=sys.stderr)
    return status
