"""Shipped studies and documentation: links lead somewhere, and generated pages are what the code makes today."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("studies/*/*.md"), *ROOT.glob("plots/*.md")])
STUDIES = sorted(path.parent for path in ROOT.glob("studies/*/README.md"))


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert target.startswith("https://") or (page.parent / target).exists(), target


@pytest.mark.parametrize("study", STUDIES, ids=lambda path: path.name)
def test_a_study_says_its_question_command_and_answer(study: Path) -> None:
    text = (study / "README.md").read_text()
    assert "**Question.**" in text
    assert "```console\n$ dse " in text
    assert re.search(r"^## What (comes|came) out", text, re.MULTILINE)
    assert "](../../plots/" in text


def test_the_headline_page_is_what_the_model_says_today() -> None:
    script = load(ROOT / "studies/preserve_l2/headline.py")
    assert script.PAGE.read_text() == script.page(), "run: python studies/preserve_l2/headline.py --write"


def test_how_sure_the_move_of_the_best_l2_is_is_what_the_model_says_today() -> None:
    script = load(ROOT / "studies/l2_uncertainty/answer.py")
    assert script.PAGE.read_text() == script.page(), "run: python studies/l2_uncertainty/answer.py --write"


def test_the_page_of_prefetch_limits_is_what_the_model_says_today() -> None:
    script = load(ROOT / "studies/prefetch_limit/limits.py")
    assert script.PAGE.read_text() == script.page(), "run: python studies/prefetch_limit/limits.py --write"


def test_where_overlap_passes_prefetching_is_what_the_model_says_today() -> None:
    script = load(ROOT / "studies/overlap_or_prefetch/crossing.py")
    assert script.PAGE.read_text() == script.page(), "run: python studies/overlap_or_prefetch/crossing.py --write"
