"""Compiled code of the tests goes to a folder of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dse.grid import cache


@pytest.fixture(scope="session", autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DSE_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        cache.folder.cache_clear()
        yield
    cache.folder.cache_clear()
