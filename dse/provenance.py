"""What made a result: version, git commit, Python."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

from dse.version import __version__


def provenance() -> dict[str, str | None]:
    """Version of dse, commit of its source (null where it was installed without git), version of Python."""
    return {"dse": __version__, "git_commit": git_commit(), "python": platform.python_version()}


def git_commit() -> str | None:
    """Commit of the working tree that this file lies in, "-dirty" added if it was changed; null outside a tree."""
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10.0)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None
