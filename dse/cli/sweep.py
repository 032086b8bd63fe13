"""The verb `sweep`: a grid of designs.

usage: dse sweep [OVERRIDE ...] [--config-dir DIR]

A grid of designs of any size, each without and with the technique, in this process: a small one is evaluated, a large
one bounded, so that most designs are proved not to matter. Writes results.csv, results.parquet, pareto.csv, sweep.json
and figures into runs/NAME, and prints the best point of each technique. A long sweep shows how far it is; the same
command goes on where it was interrupted or killed.

  KEY=A,B,C              an axis; also range(start,stop,step) and choice(a,b,c), for any key or group
  technique=A,B          the techniques to set beside each other; without it: none and the one that is configured
  objective=METRIC       what "best" means (default tokens_per_s_per_usd)
  name=NAME              the folder under runs/ (default: date and time)
  table=true|false       a row for every design (up to 5,000,000), or the exact front and the bests alone; without it
                         there are rows for every design up to 500,000
  figures=false          tables alone
  experiment=NAME        the axes and settings of a shipped study

The same as: dse evaluate --multirun hydra/sweeper=grid ...

examples:
  dse sweep 'hardware.l2_mib=range(8,257,8)' hardware.hbm_gb_per_s=1600,3200 name=l2
  dse sweep hardware=a100,h100 parallelism.tensor_parallel=1,2,4,8 precision=bf16
"""

from __future__ import annotations

from collections.abc import Sequence

from dse.cli.batch_run import run as run_batch
from dse.cli.evaluate import task


def run(arguments: Sequence[str]) -> int:
    """Runs the sweep that `arguments` describe; exit status 0."""
    run_batch(task, "grid", arguments)
    return 0
