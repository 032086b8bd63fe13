"""Imports run one way: each layer may import itself and what lies below it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LAYERS = (
    {"units", "errors", "version", "in_use", "atomic"},
    {"constants", "provenance", "shipped"},
    {"fields"},
    {"hardware", "model", "workload"},
    {"latency", "cost", "technique.terms"},
    {"technique"},
    {"objective"},
    {"case"},
    {"evaluation", "grid", "search", "uncertainty", "calibration", "validation"},
    {"figures"},
    {"cli", "calibration.__main__"},
    {"__main__", "__init__"},
)
ONLY_IN = {"optuna": "search", "hydra": "cli", "omegaconf": "cli", "matplotlib": "figures",
     "llvmlite": "grid", "numba": "grid"}
MODULES = sorted((ROOT / "dse").rglob("*.py"))


def layer(name: str) -> int:
    """Place of the layer that a dotted name below dse belongs to."""
    parts = name.split(".")
    names = (".".join(parts[:2]), parts[0])
    return next(place for full in names for place, members in enumerate(LAYERS) if full in members)


def imported(path: Path) -> list[str]:
    tree = ast.parse(path.read_text())
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
        elif isinstance(node, ast.Import):
            found += [name.name for name in node.names]
    return found


def dotted(path: Path) -> str:
    parts = path.relative_to(ROOT / "dse").with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__") or "__init__"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: dotted(path))
def test_a_module_imports_only_its_own_layer_and_those_below(path: Path) -> None:
    own = layer(dotted(path))
    below = [name.removeprefix("dse.") for name in imported(path) if name.startswith("dse.")]
    assert all(layer(name) <= own for name in below), (dotted(path), below)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: dotted(path))
def test_latency_and_cost_do_not_meet_and_libraries_stay_in_their_place(path: Path) -> None:
    name = dotted(path)
    for module in imported(path):
        top = module.split(".")[0]
        if top in ONLY_IN:
            assert name.split(".")[0] == ONLY_IN[top], f"{name} imports {top}"
        if name.startswith("cost"):
            assert not module.startswith(("dse.latency", "dse.technique"))
        if name.startswith("latency"):
            assert not module.startswith("dse.cost")
