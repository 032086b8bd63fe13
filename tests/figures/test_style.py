"""The common look, and files that repeat to the byte."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest
from figure_tables import l2_sweep, words
from matplotlib.colors import to_rgb
from matplotlib.image import imread
from matplotlib.layout_engine import ConstrainedLayoutEngine

from dse.figures import style
from dse.figures.objective_along import draw_objective_along, objective_along_data
from dse.figures.style import STYLES, curve_styles, panels, save, show_axis

DRAW = """
import sys
sys.path.insert(0, sys.argv[1])
from figure_tables import l2_sweep
from dse.figures.objective_along import draw_objective_along, objective_along_data
from dse.figures.style import save
save(draw_objective_along(objective_along_data(l2_sweep())), sys.argv[2], "dse 0: a command")
"""
NO_MATPLOTLIB = """
import importlib, sys
for module in sys.argv[1:]:
    importlib.import_module("dse.figures." + module)
assert not {"matplotlib", "numba"} & set(sys.modules)
"""
MODULES = sorted(path.stem for path in Path(style.__file__).parent.glob("*.py") if path.stem != "__init__")


def figure():
    return draw_objective_along(objective_along_data(l2_sweep()))


def test_both_files_are_written_and_can_be_read(tmp_path: Path) -> None:
    png, svg = save(figure(), tmp_path / "new" / "folder" / "figure", "dse 0.1.0: dse sweep <a> & 'b'")
    assert (png.name, svg.name) == ("figure.png", "figure.svg")
    height, width, _ = imread(png).shape
    assert width == round(style.COLUMN_INCHES * style.DOTS_PER_INCH)
    assert height > 600
    root = ET.parse(svg).getroot()
    assert root.tag.endswith("svg")
    text = svg.read_text()
    assert "dse 0.1.0: dse sweep &lt;a&gt; &amp; 'b'" in text
    assert "dc:date" not in text
    assert sorted(path.name for path in png.parent.iterdir()) == ["figure.png", "figure.svg"]


def test_the_same_data_give_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    here = save(figure(), tmp_path / "here", "dse 0: a command")
    tests = str(Path(__file__).resolve().parents[1])
    environment = {**os.environ, "PYTHONHASHSEED": "7", "SOURCE_DATE_EPOCH": "0"}
    subprocess.run([sys.executable, "-c", DRAW, tests, str(tmp_path / "there")], check=True, env=environment,
                   cwd=Path(tests).parent, timeout=120)
    for path in here:
        there = path.with_name(path.name.replace("here", "there"))
        assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(there.read_bytes()).digest()


def test_drawing_a_figure_twice_or_saving_it_twice_changes_nothing(tmp_path: Path) -> None:
    drawn = figure()
    first = [path.read_bytes() for path in save(drawn, tmp_path / "first")]
    assert [path.read_bytes() for path in save(drawn, tmp_path / "second")] == first
    assert [path.read_bytes() for path in save(figure(), tmp_path / "third")] == first


def test_a_figure_is_laid_out_once_and_both_files_show_that_layout(tmp_path: Path,
                                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    laid_out = []
    execute = ConstrainedLayoutEngine.execute
    monkeypatch.setattr(ConstrainedLayoutEngine, "execute",
                        lambda engine, figure: laid_out.append(1) or execute(engine, figure))
    drawn = figure()
    places = [axes.get_position().bounds for axes in drawn.axes]
    save(drawn, tmp_path / "figure")
    drawn.draw_without_rendering()
    assert len(laid_out) == 1
    assert [axes.get_position().bounds for axes in drawn.axes] == places
    assert drawn.get_dpi() == 100.0
    png, svg = imread(tmp_path / "figure.png"), (tmp_path / "figure.svg").read_text()
    left, bottom, width, height = places[0]
    box = [float(part) for part in re.search(r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"/>',
                                             svg).groups()]
    across, up = 72.0 * drawn.get_size_inches()
    assert box == pytest.approx([across * left, up * (1.0 - bottom - height), across * width, up * height], abs=1e-3)
    spine = png[int(png.shape[0] * (1.0 - bottom - 0.5 * height)), :, :3].sum(axis=1)
    dark = np.flatnonzero(spine < 1.0)
    assert dark[np.abs(dark - png.shape[1] * left).argmin()] == pytest.approx(png.shape[1] * left, abs=2.0)


def test_a_settled_figure_has_the_same_ticks_outside_the_look() -> None:
    drawn = draw_objective_along(objective_along_data(l2_sweep(technique=("none", "preserve", "a", "b", "c"))), True)
    with style.look():
        drawn.draw_without_rendering()
        inside = [text.get_text() for text in drawn.axes[0].get_yticklabels()]
    drawn.draw_without_rendering()
    assert [text.get_text() for text in drawn.axes[0].get_yticklabels()] == inside


def test_a_failed_save_leaves_the_old_files_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = [path.read_bytes() for path in save(figure(), tmp_path / "figure")]

    def fail(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no space left"):
        save(draw_objective_along(objective_along_data(l2_sweep()), relative=True), tmp_path / "figure")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["figure.png", "figure.svg"]
    assert [path.read_bytes() for path in sorted(tmp_path.iterdir())] == old


def test_the_users_own_settings_neither_change_the_figure_nor_are_changed(tmp_path: Path) -> None:
    plain = save(figure(), tmp_path / "plain")[1].read_bytes()
    with mpl.rc_context({"font.size": 20.0, "lines.linewidth": 9.0, "svg.fonttype": "none"}):
        assert save(figure(), tmp_path / "mine")[1].read_bytes() == plain
        assert mpl.rcParams["font.size"] == 20.0


def test_no_module_imports_matplotlib_when_it_is_imported() -> None:
    assert {"objective_along", "style", "labels"} < set(MODULES)
    subprocess.run([sys.executable, "-c", NO_MATPLOTLIB, *MODULES], check=True, timeout=60)


def test_curves_differ_in_line_and_marker_too_and_the_shipped_techniques_keep_theirs() -> None:
    for one, other in combinations(STYLES, 2):
        assert one.line != other.line
        assert one.marker != other.marker
    alone = curve_styles(["none", "preserve_kv"])["preserve_kv"]
    assert alone == curve_styles(["none", "mine", "preserve", "preserve_kv"])["preserve_kv"]
    six = curve_styles([f"model {place}" for place in range(6)])
    assert len(set(six.values())) == 6
    assert STYLES[0] not in six.values()
    assert len(curve_styles([f"model {place}" for place in range(20)])) == 20


def test_text_colours_stand_out_from_white() -> None:
    for one in STYLES:
        linear = [(part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4) for part in to_rgb(one.colour)]
        luminance = float(np.dot((0.2126, 0.7152, 0.0722), linear))
        assert 1.05 / (luminance + 0.05) > 2.0


@pytest.mark.parametrize(("low", "high", "ticks"), [
    (8.0, 256.0, ["8", "16", "32", "64", "128", "256"]), (1.0, 8.0, ["1", "2", "4", "8"]),
    (12.0, 100.0, ["8", "16", "32", "64", "128"])])
def test_sizes_have_ticks_at_powers_of_two(low: float, high: float, ticks: list[str]) -> None:
    drawn, [[axes]] = panels(1, 1, (3.0, 2.0))
    show_axis(axes, "hardware.l2_mib", np.array([low, high]))
    drawn.draw_without_rendering()
    assert [label.get_text() for label in axes.get_xticklabels()] == ticks
    drawn, [[axes]] = panels(1, 1, (3.0, 2.0))
    show_axis(axes, "hardware.hbm_gb_per_s", np.array([low, high]))
    assert axes.get_xscale() == "linear"


def test_a_title_and_a_note_are_written() -> None:
    drawn, _ = panels(1, 1, (3.0, 2.0))
    style.show_note(drawn, "a note")
    style.show_note(panels(1, 1, (3.0, 2.0))[0], "")
    assert "a note" in words(drawn)
