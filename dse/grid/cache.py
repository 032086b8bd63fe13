"""Where compiled code is kept between runs, under a fingerprint of all that it was made from.

A changed equation, compiler or processor is another fingerprint, so that stale code is never found. Files are written
under another name and then moved into place: a reader sees a whole file or none, whoever writes at the same time.
"""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import tempfile
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
LAYERS = ("latency", "cost", "technique", "grid")
KEPT_FINGERPRINTS = 8
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
        wanted.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=wanted):
            pass
    except (OSError, RuntimeError) as error:
        made = Path(tempfile.mkdtemp(prefix="dse-"))
        log.warning("compiled code is kept in %s for this run only: %s", made, error)
        return made
    return wanted


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
        handle, path = tempfile.mkstemp(dir=folder(), prefix=".part-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(content).digest() + content)
            os.replace(path, folder() / name)
        except OSError:
            Path(path).unlink(missing_ok=True)
            raise
    except OSError as error:
        log.warning("compiled code could not be kept in %s: %s", folder(), error)
