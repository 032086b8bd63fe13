"""The verb `studies`: what is saved.

usage: dse studies list [storage=WHERE] [output=json]
       dse studies show NAME [storage=WHERE] [output=json]
       dse studies compare NAME OTHER [storage=WHERE] [output=json]
       dse studies export NAME [format=csv|parquet|json] [file=PATH] [storage=WHERE]
       dse studies plot NAME [storage=WHERE]
       dse studies delete NAME [yes=true] [storage=WHERE]

list       every study: its trials, its objectives, its best design
show       one study: best design, front, hypervolume, space, certificate
compare    two studies of the same objectives: best, hypervolume from one corner, what they share
export     every trial as a row: its design by key, its metrics, where it came from (default: NAME.csv here)
plot       its figures, into runs/NAME: Pareto front, history, importance of each dimension
delete     removes a study with its trials; asks first, or takes yes=true

  storage=WHERE     as of dse search (default: journal, runs/studies.journal)
  output=json       one JSON object on standard output and nothing else

examples:
  dse studies list
  dse studies show chip output=json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dse.errors import InputError

if TYPE_CHECKING:
    from dse.search.saved import SavedSearch

FORMATS = ("csv", "parquet", "json")
NAMES = {"list": 0, "show": 1, "compare": 2, "export": 1, "plot": 1, "delete": 1}
OPTIONS = {"list": ("output",), "show": ("output",), "compare": ("output",), "export": ("format", "file"),
           "plot": (), "delete": ("yes",)}


class Command(NamedTuple):
    """What is asked for: the action, the names of studies, and the options."""

    action: str
    names: tuple[str, ...]
    options: Mapping[str, str]

    @property
    def storage(self) -> str | None:
        """Where the studies are."""
        return self.options.get("storage")

    @property
    def as_json(self) -> bool:
        """The answer is wanted as JSON."""
        return self.options.get("output") == "json"


def run(arguments: Sequence[str]) -> int:
    """Does what `arguments` say; exit status 0."""
    command = _command(arguments)
    {"list": _list, "show": _show, "compare": _compare, "export": _export, "plot": _plot,
     "delete": _delete}[command.action](command)
    return 0


def _command(arguments: Sequence[str]) -> Command:
    if not arguments or arguments[0] not in NAMES:
        given = arguments[0] if arguments else "nothing"
        raise InputError(f"studies {given} is not allowed: say {', '.join(NAMES)}")
    action, *rest = arguments
    names = tuple(text for text in rest if "=" not in text)
    options = dict(text.split("=", 1) for text in rest if "=" in text)
    for key in options:
        if key not in (*OPTIONS[action], "storage"):
            raise InputError(f"{key}={options[key]} is not allowed: studies {action} takes "
                             f"{', '.join((*OPTIONS[action], 'storage'))}")
    if len(names) != NAMES[action]:
        raise InputError(f"studies {action} takes {NAMES[action]} name{'s' * (NAMES[action] != 1)} of studies, and "
                         f"{len(names)} were given")
    for key, allowed in (("output", ("table", "json")), ("format", FORMATS), ("yes", ("true", "false"))):
        if options.get(key, allowed[0]) not in allowed:
            raise InputError(f"{key}={options[key]} is not allowed: choose one of {', '.join(allowed)}")
    return Command(action, names, options)


def _list(command: Command) -> None:
    from dse.search.saved import all_studies

    found = all_studies(command.storage)
    if command.as_json:
        _print_json([study.described() for study in found])
        return
    from dse.cli.report import columns
    from dse.cli.search_report import best_text

    rows = [("study", "objectives", "best", "complete", "feasible", "running")]
    rows += [(study.name, ", ".join(one.metric for one in study.objectives), best_text(study),
              f"{len(study.complete):,}", f"{len(study.feasible):,}", f"{study.running:,}") for study in found]
    print(columns(rows, left=3) if found else "no study is saved")


def _show(command: Command) -> None:
    study = _loaded(command)
    if command.as_json:
        _print_json(study.described())
        return
    from dse.cli.search_report import summary

    described = study.described()
    print(f"study {study.name} in {study.where}: {len(study.complete):,} trials complete, {study.failed:,} failed, "
          f"{study.running:,} running, {len(study.feasible):,} feasible; "
          f"{study.designs_evaluated:,} designs evaluated in all\n")
    print(summary(study))
    print(f"\nhypervolume {described['hypervolume']:.6g} from {described['hypervolume_reference']}\n\nspace")
    print("\n".join(f"  {key}: {text}" for key, text in described["space"].items()))
    if described["certificate"]:
        print(f"\ncertificate: {described['certificate']['says']}")
    print(f"\nmade by: {' '.join(described['command'])}")


def _compare(command: Command) -> None:
    from dse.search.saved import comparison, load_study

    found = comparison(*(load_study(name, command.storage) for name in command.names))
    if command.as_json:
        _print_json(found)
        return
    from dse.cli.report import columns

    rows = [("study", "complete", "feasible", "designs", f"best {found['mark'].partition(':')[0]}", "hypervolume",
             "front", "front beaten by the other")]
    for study, beaten in zip(found["studies"], found["front_beaten"], strict=True):
        rows.append((study["name"], f"{study['complete']:,}", f"{study['feasible']:,}",
                     f"{study['designs_evaluated']:,}", "none" if study["best"] is None else f"{study['best']:.6g}",
                     f"{study['hypervolume']:.6g}", str(study["front"]), "" if beaten is None else f"{beaten:.0%}"))
    print(columns(rows))
    print(f"\n{found['same_points']:,} designs are in both")


def _export(command: Command) -> None:
    study = _loaded(command)
    form = command.options.get("format", "csv")
    path = Path(command.options.get("file", f"{study.name}.{form}"))
    if not path.parent.is_dir():
        raise InputError(f"file={path} is not allowed: there is no folder {path.parent}")
    from dse.cli.study_table import write_table

    write_table(study, form, path)
    print(f"{len(study.trials):,} trials in {path}")


def _plot(command: Command) -> None:
    from dse.cli.draw_study import draw_study

    for line in draw_study(command.names[0], command.storage):
        print(line)


def _delete(command: Command) -> None:
    from dse.search.saved import existing
    from dse.search.store import open_store

    with closing(open_store(command.storage, create=False)) as store:
        study = existing(store, command.names[0])
        if command.options.get("yes") != "true":
            _confirm(study.name, len(store.trials(study)))
        with store.locked(study.name):
            if any(claim.alive for claim in store.claims(study)):
                raise InputError(f"study {study.name} is being worked on: end that search first")
            store.delete(existing(store, study.name))
    print(f"study {command.names[0]} is deleted")


def _confirm(name: str, trials: int) -> None:
    if not sys.stdin.isatty():
        raise InputError(f"study {name} with {trials:,} trials is not deleted: say yes=true to confirm")
    sys.stderr.write(f"delete study {name} with {trials:,} trials? Type its name to confirm: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip() != name:
        raise InputError(f"study {name} is not deleted")


def _loaded(command: Command) -> SavedSearch:
    from dse.search.saved import load_study

    return load_study(command.names[0], command.storage)


def _print_json(found: Any) -> None:
    sys.stdout.write(json.dumps(found, indent=2) + "\n")
