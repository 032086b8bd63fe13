"""A private PostgreSQL server on a socket, for tests; Debian's package `postgresql` brings it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def binaries() -> Path | None:
    """The folder with initdb and postgres; None where they are not installed."""
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((place for place in places if (place / "initdb").exists() and (place / "postgres").exists()), None)


def user() -> dict[str, Any]:
    """initdb refuses to run as root: the user that it runs as then."""
    if os.getuid() != 0:
        return {}
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    chosen = names.get("postgres") or names["nobody"]
    return {"user": chosen.pw_uid, "group": chosen.pw_gid, "extra_groups": []}


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """A fresh server; gives the URL of its database. Its files lie in /tmp, since a socket's path is short."""
    programs = binaries()
    assert programs is not None
    home = Path(tempfile.mkdtemp(prefix="dse-pg-"))
    as_user = user()
    if as_user:
        os.chown(home, as_user["user"], as_user["group"])
    log = (folder / "server.log").open("wb")
    try:
        subprocess.run([programs / "initdb", "-D", home / "data", "-A", "trust", "-U", "dse", "--no-sync"], check=True,
                       stdout=log, stderr=log, cwd=home, **as_user)
        process = subprocess.Popen([programs / "postgres", "-D", home / "data", "-k", home, "-c", "listen_addresses=",
                                    "-c", "fsync=off"], stdout=log, stderr=log, cwd=home, **as_user)
        try:
            _wait(home, process)
            yield f"postgresql+psycopg://dse@/postgres?host={home}"
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)
    finally:
        log.close()
        shutil.rmtree(home, ignore_errors=True)


def _wait(home: Path, process: subprocess.Popen[bytes]) -> None:
    import psycopg

    until = time.monotonic() + 30.0
    while True:
        try:
            psycopg.connect(host=str(home), user="dse", dbname="postgres").close()
        except psycopg.OperationalError:
            assert process.poll() is None, "the server ended"
            assert time.monotonic() < until, "the server does not answer"
            time.sleep(0.05)
        else:
            return
