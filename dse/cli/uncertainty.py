"""The verb `uncertainty`: how sure an answer is.

usage: dse uncertainty [OVERRIDE ...] [--config-dir DIR]

Carries the low / base / high of every constant to the answer: quasi-random draws of all of them at once, each draw the
same for all designs, without and with the technique. Writes bands.csv (percentiles of every metric of every design,
probability of being the best and on the Pareto front, regret), front.csv (the Pareto front in percentile bands),
optimum.csv (the best value of each axis as a distribution), shift.csv, sobol.csv (which assumptions decide),
robust.csv, uncertainty.json and figures into runs/NAME.

  KEY=A,B,C                  an axis, as in dse sweep; one design without any
  samples=N seed=N           draws, and where they start (default 10000, 0): the same command, the same numbers
  objective=METRIC           what "best" means (default tokens_per_s_per_usd)
  uncertainty.of=[...]       the constants that are drawn: keys or groups (default [cost,latency])
  uncertainty.existing=[CHIP,...]  leave out the draws in which one of these chips could not be made (default none)
  uncertainty.shape=SHAPE    triangular, pert or uniform between low and high (default triangular)
  uncertainty.along=KEY      the axis whose best value is asked for (default hardware.l2_mib)
  uncertainty.factor=X       by how much it must grow to count as moved (default 2)
  uncertainty.quantities=[...]  whose deciding assumptions are found: metrics, optimum, gain, shift, moved
  uncertainty.percentiles=[...], uncertainty.index_samples=N, name=NAME, figures=false, experiment=NAME

A constant set to a plain number (cost.process.wafer_usd=12000) is certain.

examples:
  dse uncertainty hardware.l2_mib=8,16,32,64,128 samples=2000 name=l2_bands
  dse uncertainty model=llama3_8b,qwen2_7b parallelism.tensor_parallel=1,2,4,8 samples=1000 name=split_bands
"""

from __future__ import annotations

from collections.abc import Sequence

from dse.cli.batch_run import run as run_batch
from dse.cli.evaluate import task


def run(arguments: Sequence[str]) -> int:
    """Answers what `arguments` describe; exit status 0."""
    run_batch(task, "uncertainty", arguments)
    return 0
