"""Draws that an existing chip rules out."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
from uncertainty.ensembles import configuration

from dse.case import case, row
from dse.cli.hydra_run import composed
from dse.grid.grid import Grid
from dse.grid.table import Part
from dse.objective import Metrics
from dse.uncertainty.ensemble import Ensemble, Member
from dse.uncertainty.existing import Existing
from dse.uncertainty.intervals import intervals
from dse.uncertainty.sampling import unit_points


def member(config: Mapping[str, Any]) -> Member:
    return Member(Part({}, {}, Grid(row(case(config)))), intervals(config, ["cost"]))


def test_kept_are_the_draws_in_which_the_chip_meets_reticle_and_shoreline() -> None:
    chip = member(composed(["hardware=h100"]))
    ensemble = Ensemble([chip], "triangular")
    points = unit_points(256, len(ensemble.unknowns), [1])
    metrics = ensemble.metrics(np.array([0]), points)[:, 0]
    met = np.all([metrics[Metrics._fields.index(name)] <= 0.0 for name in ("reticle", "shoreline")], axis=0)
    kept = Existing([chip], ensemble.unknowns, "triangular").possible(points)
    assert (kept == met).all()
    assert 0.2 < kept.mean() < 0.5


def test_of_several_chips_all_must_be_possible() -> None:
    chips = [member(composed([f"hardware={name}"])) for name in ("a100", "h100")]
    unknowns = Ensemble(chips, "triangular").unknowns
    points = unit_points(256, len(unknowns), [1])
    each = [Existing([chip], unknowns, "triangular").possible(points) for chip in chips]
    both = Existing(chips, unknowns, "triangular").possible(points)
    assert (both == each[0] & each[1]).all()
    assert both.sum() < each[0].sum()


def test_what_is_not_drawn_is_at_base() -> None:
    # Of the unknowns only the price of a wafer is drawn: it does not change a die, and at base H100 can be made.
    points = unit_points(16, 1, [1])
    assert Existing([member(composed(["hardware=h100"]))], ["cost.process.wafer_usd"], "triangular").possible(
        points).all()


def test_a_chip_that_cannot_be_at_base_leaves_nothing() -> None:
    config = copy.deepcopy(dict(configuration()))
    config["hardware"]["cores"] = 1000
    points = unit_points(16, 1, [1])
    assert not Existing([member(config)], ["cost.process.wafer_usd"], "triangular").possible(points).any()
