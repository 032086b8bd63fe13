"""A search from a script or a notebook: the same composition as on the command line, without its output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dse.errors import InputError

if TYPE_CHECKING:
    from dse.search.saved import SavedSearch


def searched(overrides: Sequence[str], settings: Mapping[str, Any]) -> SavedSearch | list[SavedSearch]:
    """The study of these overrides, or a list of the studies of several techniques; see `dse.run_search`."""
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from hydra.errors import HydraException
    from hydra.types import RunMode

    from dse.cli.hydra_run import sentence, version_base
    from dse.cli.study_search import Watch, search
    from dse.shipped import configuration_folder

    watch = Watch(lambda name: lambda progress: None, lambda: False)
    try:
        with initialize_config_dir(**version_base(), config_dir=str(configuration_folder())):
            loader = GlobalHydra.instance().config_loader()
            master = loader.load_configuration("config", overrides=[], run_mode=RunMode.MULTIRUN)
            _, outcomes = search(loader, master, [*overrides, *_as_overrides(settings)], watch)
    except HydraException as error:
        raise InputError(sentence(error)) from error
    found = [outcome.study for outcome in outcomes]
    return found[0] if len(found) == 1 else found


def _as_overrides(settings: Mapping[str, Any]) -> list[str]:
    return [f"{'study.name' if key == 'name' else key}={_text(value)}" for key, value in settings.items()]


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{_text(part)}" for key, part in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(_text(part) for part in value) + "]"
    return {None: "null", True: "true", False: "false"}.get(value, str(value)) if not isinstance(value, str) else value
