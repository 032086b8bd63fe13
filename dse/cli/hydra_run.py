"""Running a task under Hydra, with Hydra's own errors turned into one sentence."""

from __future__ import annotations

import difflib
import functools
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from traceback import walk_tb
from typing import TYPE_CHECKING, Any

from dse.case import GROUPS
from dse.cli.flags import as_command_line, refuse_unknown_flags
from dse.cli.settings import RESERVED, refuse_deleted, root_keys, shipped_settings
from dse.cli.sources import refuse_borrowed_sources
from dse.errors import InputError
from dse.model.language_model import model_group
from dse.shipped import configuration_folder
from dse.workload import traffic_group

if TYPE_CHECKING:
    from omegaconf import DictConfig

def version_base() -> dict[str, str]:
    """The argument that Hydra 1.3 wants for its own defaults, and that later ones warn of."""
    import hydra

    return {"version_base": "1.3"} if hydra.__version__.startswith("1.3.") else {}


def run(task: Callable[[DictConfig], Any], arguments: Sequence[str]) -> None:
    """Composes the configuration of `arguments` and runs `task` with it, as often as a multirun says.

    Raises InputError for what Hydra or the task refuses.
    """
    import hydra

    refuse_unknown_flags(arguments)
    raised: list[Exception] = []
    with as_command_line(arguments), _errors_raised(), as_sentences(arguments):
        try:
            start = hydra.main(**version_base(), config_path=str(configuration_folder()), config_name="config")
            start(_held_back(task, raised))()
        except SystemExit as error:
            if error.code not in (0, None):
                raise InputError("the command line could not be read; see the line above") from error
    if raised:
        raise raised[0]


@contextmanager
def as_sentences(arguments: Sequence[str]) -> Iterator[None]:
    """InputError in place of what Hydra raises for `arguments` that it cannot compose."""
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    try:
        yield
    except (HydraException, OmegaConfBaseException) as error:
        raise InputError(sentence(error)) from error
    except Exception as error:
        if not _raised_by_hydra(error) or (isinstance(error, OSError) and error.errno is not None):
            raise
        raise InputError(f"{' '.join(arguments)} cannot be composed: {sentence(error)}") from error


def _raised_by_hydra(error: BaseException) -> bool:
    """Bad overrides and files that are no YAML end in plain exceptions below Hydra; one of ours would be a fault."""
    packages = (str(frame.f_globals.get("__name__")).partition(".")[0] for frame, _ in walk_tb(error.__traceback__))
    return [name for name in packages if name in ("dse", "hydra_plugins", "hydra", "omegaconf")][-1:] in (
        ["hydra"], ["omegaconf"])


def _held_back(task: Callable[[DictConfig], Any], raised: list[Exception]) -> Callable[[DictConfig], Any]:
    """`task`, its exception put into `raised`: Hydra would print a line of its own about a single run that raises."""

    @functools.wraps(task)
    def held_back(config: DictConfig) -> Any:
        from hydra.core.hydra_config import HydraConfig
        from hydra.types import RunMode

        try:
            return task(config)
        except Exception as error:
            if HydraConfig.get().mode == RunMode.MULTIRUN:
                raise
            raised.append(error)
            return None

    return held_back


def plain(config: DictConfig) -> dict[str, Any]:
    """The configuration as plain dictionaries, without Hydra's own part.

    Raises InputError where a value is missing, or one of the command's own settings is deleted.
    """
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    def contained(value: Any) -> Any:
        if not OmegaConf.is_config(value):
            return value
        return OmegaConf.to_container(value, resolve=True, throw_on_missing=True)

    try:
        found = {str(key): contained(config[key]) for key in config if key not in RESERVED}
    except OmegaConfBaseException as error:
        raise InputError(sentence(error)) from error
    refuse_deleted(found, shipped_settings())
    return found


def composed(overrides: Sequence[str]) -> dict[str, Any]:
    """The groups of the shipped configuration under `overrides`, for scripts and notebooks; InputError as elsewhere."""
    from hydra import compose, initialize_config_dir
    from hydra.errors import HydraException

    try:
        with initialize_config_dir(**version_base(), config_dir=str(configuration_folder())):
            settings = plain(compose("config", list(overrides)))
    except HydraException as error:
        raise InputError(sentence(error)) from error
    return groups(settings, [text.partition("=")[0] for text in overrides])


def referenced(config: DictConfig) -> set[str]:
    """Last names of the keys that other values of the configuration refer to, as in ${latency.one_shot_startup_us}."""
    from omegaconf import OmegaConf

    task = {key: OmegaConf.to_container(value, resolve=False) if OmegaConf.is_config(value) else value
            for key, value in config.items_ex(resolve=False) if key not in RESERVED}
    return {name.rpartition(".")[2] for name in re.findall(r"\$\{([^{}]*)\}", str(task))}


def overridden() -> list[str]:
    """Keys that the command line of the running job sets."""
    from hydra.core.hydra_config import HydraConfig

    return [text.partition("=")[0] for text in HydraConfig.get().overrides.task]


def groups(settings: Mapping[str, Any], set_by_user: Iterable[str]) -> dict[str, Any]:
    """The groups of a configuration, without the command's own settings.

    `set_by_user` are the keys that the user set one by one: they win over a model's file and a preset's token split.
    """
    if settings.get("serving") is not None:
        raise InputError("serving is for `dse evaluate` alone: everything else keeps to the devices' own time")
    for key in settings:
        if key not in root_keys():
            raise InputError(f"{key} is unknown: a configuration has {', '.join(root_keys())}")
    found = {key: settings[key] for key in GROUPS if key in settings}
    for key, group in found.items():
        if not isinstance(group, Mapping):
            raise InputError(f"{key}={group!r} is not allowed: choose an option of {key}")
    refuse_borrowed_sources(found, configuration_folder())
    set_keys = [key.lstrip("+") for key in set_by_user]
    for name, settle in (("model", model_group), ("traffic", traffic_group)):
        if name in found:
            prefix = f"{name}."
            found[name] = settle(found[name], [key.removeprefix(prefix) for key in set_keys if key.startswith(prefix)])
    return found


def sentence(error: BaseException) -> str:
    """What Hydra says about bad input, as one sentence that names the key and what is allowed."""
    text = str(error)
    cause = str(error.__cause__ or "")
    for pattern, say in ((r"In '[^']*': Could not find '([^']+)'", _no_such_option),
                         (r"Could not (?:find|load) '([^']+)'", _no_such_option),
                         (r"Could not override '([^']+)'", _no_such_key),
                         (r"Key '([^']+)' is not in struct", _no_such_key)):
        found = re.search(pattern, text) or re.search(pattern, cause)
        if found:
            return say(found[1], f"{text}\n{cause}")
    if "Ambiguous value" in text or ("sweep" in text.lower() and "override" in text.lower()):
        first = text.splitlines()[0].rstrip(".:")
        return f"{first}: several values need dse sweep (or quotes, if the comma is part of the value)"
    if isinstance(error, RecursionError):
        return "a defaults list leads back to itself"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " ".join(lines) or type(error).__name__


def _no_such_option(place: str, text: str) -> str:
    group, _, option = place.rpartition("/")
    listed = re.search(r"Available options in '[^']*':\n((?:\t.*\n?)+)", text)
    options = [line.strip() for line in listed[1].splitlines()] if listed else _options(group)
    if options:
        return f"{group}={option} is not allowed: choose one of {', '.join(sorted(options))}"
    return f"{place} is not a group or option of the configuration"


def _no_such_key(key: str, text: str) -> str:
    full = re.search(r"full_key: (\S+)", text)
    name = full[1] if full and full[1].endswith(key.rpartition(".")[2]) else key
    known = _shipped_keys()
    if _options(name):
        options = ", ".join(sorted(_options(name)))
        return f"{name} goes with an option that reads it, and none is chosen: it has {options}"
    if name in known:
        return f"{name} is unknown to an option that is chosen for {name.rpartition('.')[0]}: choose such as have it"
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    hint = f"did you mean {' or '.join(near)}?" if near else "`dse evaluate --cfg job` prints every key"
    return f"{name} is unknown: {hint}"


def _options(group: str) -> list[str]:
    folder = configuration_folder() / group
    return [path.stem for path in folder.glob("*.yaml")] if group and folder.is_dir() else []


def _shipped_keys() -> list[str]:
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra

    GlobalHydra.instance().clear()
    with initialize_config_dir(**version_base(), config_dir=str(configuration_folder())):
        return list(keys(plain(compose("config"))))


def keys(config: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Dotted names of everything in `config` that holds a value; a constant is one value."""
    for name, value in config.items():
        if isinstance(value, Mapping) and "base" not in value:
            yield from keys(value, f"{prefix}{name}.")
        else:
            yield prefix + str(name)


@contextmanager
def _errors_raised() -> Iterator[None]:
    """Hydra raises its errors to its caller only under this variable; else it prints a traceback and exits."""
    saved = os.environ.get("HYDRA_FULL_ERROR")
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        yield
    finally:
        if saved is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = saved
