"""The configurations of one search: Hydra composes them, and a problem is made of the dimensions within them."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dse.case import slots
from dse.cli.hydra_run import groups, keys, plain, referenced, sentence
from dse.cli.search_space import Asked
from dse.errors import InputError
from dse.evaluation import design
from dse.search.problem import Problem, whole
from dse.search.space import Choice, Dimension, Point, Space
from dse.shipped import configuration_folder

if TYPE_CHECKING:
    from hydra.core.config_loader import ConfigLoader
    from omegaconf import DictConfig


class Composer:
    """Configurations of one command: Hydra composes each choice of options once, other values are set in a copy."""

    def __init__(self, loader: ConfigLoader, master: DictConfig, command: Asked) -> None:
        self.loader = loader
        self.master = master
        self.command = command
        self.options: tuple[str, ...] = ()
        self._composed: dict[tuple[str, ...], DictConfig] = {}
        self.first = plain(self._under(()))

    def problem(self, dimensions: Sequence[Dimension]) -> Problem:
        """The problem of the command line's dimensions and those of files."""
        every = [*self.command.dimensions.values(), *dimensions]
        every.sort(key=lambda one: 0 if self._is_group(one.key) else 1)
        self.options = tuple(one.key for one in every if self._is_group(one.key))
        configs = self._configs_by_option(every)
        every = [self._conditional(one, configs) for one in every if not self._is_left_out(one, configs, dimensions)]
        base = next(iter(configs.values()))
        places = {key: slot for config in configs.values() for key, slot in
                  slots(groups(plain(config), self.command.keys)).items()}
        shared = referenced(base)
        settled = tuple(one.key for one in every if one.key not in places or one.key.rpartition(".")[2] in shared
                        or (isinstance(one.domain, Choice) and not one.domain.numeric))
        space = Space(tuple(whole(one, places) for one in every))
        return Problem(space, settled, self.compose, self._assumptions(configs, space))

    def compose(self, labels: Mapping[str, Any]) -> dict[str, Any]:
        """The groups of the configuration under the values of `labels`; InputError where they do not go together."""
        from omegaconf import OmegaConf
        from omegaconf.errors import OmegaConfBaseException

        chosen = tuple(f"{key}={labels[key]}" for key in self.options if key in labels)
        config = self._under(chosen)
        values = {key: value for key, value in labels.items() if key not in self.options}
        if values:
            config = copy.deepcopy(config)
            try:
                for key, value in values.items():
                    OmegaConf.update(config, key, value)
            except OmegaConfBaseException as error:
                raise InputError(sentence(error)) from error
        return groups(plain(config), self.command.keys)

    def known_points(self, space: Space) -> list[tuple[str, Point]]:
        """The configured design and every shipped chip, each as the nearest point of the space."""
        from omegaconf import OmegaConf

        base = _flat(groups(self.first, self.command.keys))
        base.update({key: self.loader_choice(key) for key in self.options})
        found = [("as configured", space.nearest(base))]
        for path in sorted((configuration_folder() / "hardware").glob("*.yaml")):
            chip = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
            assert isinstance(chip, dict)
            values = {f"hardware.{key!s}": value for key, value in chip.items()}
            found.append((f"near {path.stem}", space.nearest({**base, **values, "hardware": path.stem})))
        return found

    def loader_choice(self, key: str) -> Any:
        """The option that the configuration takes for a group; None where it is not said."""
        return self._under(()).hydra.runtime.choices.get(key)

    def _is_group(self, key: str) -> bool:
        return bool(self.loader.get_group_options(key))

    def _under(self, chosen: tuple[str, ...]) -> DictConfig:
        from hydra.errors import HydraException
        from omegaconf.errors import OmegaConfBaseException

        if chosen not in self._composed:
            try:
                self._composed[chosen] = self.loader.load_sweep_config(self.master, [*self.command.fixed, *chosen])
            except (HydraException, OmegaConfBaseException) as error:
                raise InputError(sentence(error)) from error
        return self._composed[chosen]

    def _configs_by_option(self, dimensions: Sequence[Dimension]) -> dict[tuple[str, Any], DictConfig]:
        """The configuration under each option of each group that is searched, the other groups at their first."""
        choices = {one.key: one.domain for one in dimensions if one.key in self.options}
        for key, domain in choices.items():
            if not isinstance(domain, Choice):
                raise InputError(f"{key}={domain} is not allowed: {key} takes names of options, as in choice(a,b)")
        first = {key: domain.choices[0] for key, domain in choices.items() if isinstance(domain, Choice)}
        found = {("", ""): self._under(tuple(f"{key}={value}" for key, value in first.items()))}
        for key, domain in choices.items():
            assert isinstance(domain, Choice)
            for value in domain.choices:
                found[key, value] = self._under(tuple(f"{one}={other}" for one, other in {**first, key: value}.items()))
        return found

    def _is_left_out(self, one: Dimension, configs: Mapping[tuple[str, Any], DictConfig],
                     from_file: Sequence[Dimension]) -> bool:
        """A file's axis belongs to some options of a group, and the command line fixes one that has no such key."""
        group = one.key.partition(".")[0]
        fixed = group in self.command.keys and group not in self.command.dimensions
        return one in from_file and fixed and not any(_has(config, one.key) for config in configs.values())

    def _conditional(self, one: Dimension, configs: Mapping[tuple[str, Any], DictConfig]) -> Dimension:
        """The dimension with the options added under which its key exists; InputError where it exists under none."""
        if one.key in self.options:
            return one
        there = {place: _has(config, one.key) for place, config in configs.items()}
        if not any(there.values()):
            from dse.cli.hydra_run import _no_such_key

            raise InputError(_no_such_key(one.key, ""))
        when = dict(one.when)
        for group in self.options:
            allowed = tuple(value for (key, value), is_there in there.items() if key == group and is_there)
            every = [value for key, value in there if key == group]
            if 0 < len(allowed) < len(every):
                when.setdefault(group, allowed)
        return replace(one, when=when)

    def _assumptions(self, configs: Mapping[tuple[str, Any], DictConfig], space: Space) -> dict[str, Any]:
        """All that the metrics depend on beside the space: base values, and a hash of each option's."""
        base = _flat(design(groups(plain(next(iter(configs.values()))), self.command.keys)))
        found = {key: value for key, value in base.items() if key not in space.keys}
        for (key, value), config in configs.items():
            if key:
                text = json.dumps(design(groups(plain(config), self.command.keys)), sort_keys=True, default=str)
                found[f"{key}={value}"] = hashlib.sha256(text.encode()).hexdigest()[:12]
        return found


def _has(config: DictConfig, key: str) -> bool:
    return key in set(keys(plain(config)))


def _flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping) and "base" not in value:
            found.update(_flat(value, f"{prefix}{key}."))
        else:
            found[f"{prefix}{key}"] = value["base"] if isinstance(value, Mapping) else value
    return found
