"""The shipped configuration: where it lies, and single files of it as they stand."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def configuration_folder() -> Path:
    """The shipped configuration: beside the package's files in a wheel, beside the package in a source tree."""
    package = Path(__file__).resolve().parent
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


def option(group: str, name: str) -> dict[str, Any]:
    """The file `name` of a group that stands alone: one without options that it builds on."""
    import yaml

    read: dict[str, Any] = yaml.safe_load((configuration_folder() / group / f"{name}.yaml").read_text(encoding="utf-8"))
    return read
