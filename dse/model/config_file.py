"""The fields of a Hugging Face `config.json`, read with a sentence on what is wrong where one cannot be used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from dse.errors import InputError
from dse.fields import LARGEST_WHOLE

FILE = "config.json"


class ConfigFile(NamedTuple):
    """A `config.json`: where it lies and its fields. A field that is null stands in the file, as null."""

    path: Path
    fields: dict[str, Any]

    def fault(self, text: str) -> InputError:
        """An error that says why the file cannot be used."""
        return InputError(f"model.huggingface={self.path} cannot be used: {text}")

    def states(self, key: str) -> bool:
        """Whether the field is given, and not as null."""
        return self.fields.get(key) is not None

    def count(self, key: str, default: int | None = None, smallest: int = 1) -> int:
        """The whole number of the field, `default` where it is absent."""
        value = self.fields.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < smallest:
            fault = "is missing" if value is None else f"is {json.dumps(value)}"
            raise self.fault(f"{key} {fault} where a whole number >= {smallest} is needed")
        if value > LARGEST_WHOLE:
            raise self.fault(f"{key} is {value} where a whole number <= {LARGEST_WHOLE:g} is needed")
        return value

    def flag(self, key: str, default: bool) -> bool:
        """The truth value of the field, `default` where it is absent."""
        value = self.fields.get(key, default)
        if not isinstance(value, bool):
            raise self.fault(f"{key} is {json.dumps(value)} where true or false is needed")
        return value


def read_config_file(path: str | Path) -> ConfigFile:
    """The `config.json` at `path`, which is the file or the folder that holds it; InputError where there is none."""
    file = _file(path)
    try:
        fields = json.loads(file.read_text(encoding="utf-8"))
    except OSError as fault:
        raise InputError(f"model.huggingface={file} cannot be read: {fault.strerror}") from fault
    except (ValueError, RecursionError) as fault:
        raise InputError(f"model.huggingface={file} is not valid JSON in UTF-8: {fault}") from fault
    if not isinstance(fields, dict):
        raise InputError(f"model.huggingface={file} is not allowed: a {FILE} is a JSON object")
    return ConfigFile(file, fields)


def _file(path: str | Path) -> Path:
    if not isinstance(path, (str, Path)) or not str(path):
        raise InputError(f"model.huggingface={path!r} is not allowed: give the path of a {FILE} or of its folder")
    try:
        file = Path(path).expanduser()
        folder = file.is_dir()
        empty = folder and not (file / FILE).exists()
    except (OSError, RuntimeError) as fault:
        raise InputError(f"model.huggingface={path} cannot be read: {fault}") from fault
    if empty:
        raise InputError(f"model.huggingface={path} is not allowed: the folder holds no {FILE}")
    return file / FILE if folder else file
