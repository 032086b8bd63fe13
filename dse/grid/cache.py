"""Where compiled code is kept between runs, under a fingerprint of all that it was made from.

A changed equation, compiler or processor is another fingerprint, so that stale code is never found. Files are written
under another name and then moved into place: a reader sees a whole file or none, whoever writes at the same time. A new
fingerprint sends away the oldest ones, not those that a process has taken up within a day.
"""

from __future__ import annotations

import atexit
import hashlib
import logging
import os
import platform
import re
import shutil
import tempfile
import time
from functools import cache
from pathlib import Path

from dse.atomic import write_bytes
from dse.in_use import clear

PACKAGE = Path(__file__).resolve().parent.parent
LAYERS = ("latency", "cost", "technique", "grid")
KEPT_FINGERPRINTS = 8
IN_USE_S = 86400.0  # since a process took it up, for which a fingerprint stays whatever their number
FINGERPRINT = re.compile("[0-9a-f]{24}")
DIGEST_BYTES = 32
log = logging.getLogger(__name__)


@cache
def fingerprint() -> str:
    """A hash of the model's and the compiler's sources, the versions and the processor."""
    import llvmlite
    from llvmlite import binding

    known = hashlib.sha256()
    sources = [*PACKAGE.glob("*.py"), *(file for layer in LAYERS for file in (PACKAGE / layer).glob("*.py"))]
    for source in sorted(sources):
        known.update(f"{source.relative_to(PACKAGE)}\0".encode() + source.read_bytes() + b"\0")
    known.update("\0".join((llvmlite.__version__, str(binding.llvm_version_info), platform.python_version(),
                            platform.machine(), binding.get_host_cpu_name(),
                            binding.get_host_cpu_features().flatten())).encode())
    return known.hexdigest()[:24]


def parent_folder() -> Path:
    """$DSE_CACHE_DIR, or `dse` in the user's cache folder."""
    given = os.environ.get("DSE_CACHE_DIR")
    if given:
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dse"


@cache
def folder() -> Path:
    """The folder of this fingerprint; one for this process alone, with a warning, where none can be written."""
    try:
        wanted = parent_folder() / fingerprint()
        begun = not wanted.exists()
        wanted.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=wanted):
            pass
        os.utime(wanted)  # tells when it was last taken up
    except (OSError, RuntimeError) as error:
        made = Path(tempfile.mkdtemp(prefix="dse-"))
        atexit.register(shutil.rmtree, made, ignore_errors=True)
        log.warning("compiled code is kept in %s for this run only: %s", made, error)
        return made
    clear(wanted)
    if begun:
        _remove_oldest(wanted)
    return wanted


def _remove_oldest(new: Path) -> None:
    """Leaves as many fingerprints as are kept, `new` among them, and any beyond that may be in use.

    A process that still runs with one of those removed compiles again what it has not loaded.
    """
    others = [(_taken_up(path), path) for path in new.parent.iterdir()
              if path != new and FINGERPRINT.fullmatch(path.name) and path.is_dir() and not path.is_symlink()]
    for when, path in sorted(others, reverse=True)[KEPT_FINGERPRINTS - 1 :]:
        if when < time.time() - IN_USE_S:
            shutil.rmtree(path, ignore_errors=True)


def _taken_up(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0  # removed by another process


def read(name: str) -> bytes | None:
    """What was kept under `name`; None where there is nothing, or not the whole of it."""
    try:
        kept = (folder() / name).read_bytes()
    except OSError:
        return None
    digest, content = kept[:DIGEST_BYTES], kept[DIGEST_BYTES:]
    return content if hashlib.sha256(content).digest() == digest else None


def write(name: str, content: bytes) -> None:
    """Keep `content` under `name`; without it (a full disk, say) the next run compiles again."""
    try:
        folder().mkdir(parents=True, exist_ok=True, mode=0o700)  # another version may have removed it after a day
        write_bytes(folder() / name, hashlib.sha256(content).digest() + content, durable=False)
    except OSError as error:
        _tell(error.strerror or str(error))


@cache
def _tell(reason: str) -> None:
    """Says it once for each reason."""
    log.warning("compiled code could not be kept in %s: %s", folder(), reason)
