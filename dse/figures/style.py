"""One look for all figures: sizes, colours that the colour-blind tell apart, axes; files that repeat to the byte."""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple, TypeAlias

from dse.atomic import write
from dse.figures.labels import POWERS_OF_TWO, axis_label, quantity
from dse.figures.table import REFERENCE, Floats

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

    Form: TypeAlias = Callable[[Figure, IO[bytes], Mapping[str, str | None]], None]

COLUMN_INCHES = 3.5
PAGE_INCHES = 7.1
DOTS_PER_INCH = 300
COMPRESSION = 3  # of 9: 6 takes half as long again, for files a twelfth smaller at best
LONG = 36
SMALL = 6.0
POINTS_PER_INCH, LETTER_WIDTH = 72.0, 0.53

# Okabe and Ito, "Color Universal Design", 2008: told apart with any colour vision.
BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILION, PURPLE = (
    "#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7")
GREY = "#7F7F7F"
FAINT = "#BFBFBF"

LOOK: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 7.0,
    "axes.titlesize": 7.0,
    "axes.titley": 1.0,  # no ticks stand above the axes for it to avoid
    "axes.labelsize": 7.0,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "legend.fontsize": 6.5,
    "legend.frameon": False,
    "legend.handlelength": 2.4,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E5E5E5",
    "grid.linewidth": 0.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "lines.linewidth": 1.3,
    "lines.markersize": 4.0,
    "hatch.linewidth": 0.5,
    "figure.constrained_layout.use": True,
    "savefig.dpi": DOTS_PER_INCH,
    "svg.fonttype": "path",
    "svg.hashsalt": "dse",
    "text.usetex": False,
}


class CurveStyle(NamedTuple):
    """How a curve is drawn: also without its colour, line and marker tell it apart."""

    colour: str
    line: tuple[float, tuple[float, ...]]
    marker: str


# Yellow is left out: it does not show on white.
STYLES = (
    CurveStyle(BLACK, (0, (4, 1.5)), "o"), CurveStyle(VERMILION, (0, ()), "s"),
    CurveStyle(BLUE, (0, (5, 1, 1, 1)), "^"), CurveStyle(GREEN, (0, (1, 1)), "D"),
    CurveStyle(PURPLE, (0, (5, 1, 1, 1, 1, 1)), "v"), CurveStyle(ORANGE, (0, (7, 2)), "P"),
    CurveStyle(SKY, (0, (2, 1)), "X"))
FIXED = {REFERENCE: STYLES[0], "preserve": STYLES[1], "preserve_kv": STYLES[2], "preserve_weights": STYLES[3]}


def curve_styles(names: Iterable[str]) -> dict[str, CurveStyle]:
    """A style for each distinct name: the shipped techniques always have theirs, others what is left, in their order.

    Black is the reference's alone. Beyond the palette it starts again.
    """
    distinct = tuple(dict.fromkeys(names))
    fixed = {name: FIXED[name] for name in distinct if name in FIXED}
    left = [style for style in STYLES[1:] if style not in fixed.values()] or STYLES[1:]
    others = (name for name in distinct if name not in fixed)
    return {**fixed, **{name: left[place % len(left)] for place, name in enumerate(others)}}


@contextmanager
def look() -> Iterator[None]:
    """The look, for as long as the context lasts, whatever the user's own matplotlibrc says."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(LOOK)
        yield


def panels(rows: int, columns: int, size: tuple[float, float], **options: Any) -> tuple[Figure, list[list[Axes]]]:
    """A figure of `size` inches with rows x columns of axes; belongs to no window and needs no display."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=size)
    return figure, figure.subplots(rows, columns, squeeze=False, **options).tolist()


def settle(figure: Figure) -> None:
    """Gives the axes the room that labels, title and legend leave, once and for all; within the look.

    Files in any resolution then show the same, and the layout, which takes as long as drawing, is not made again.
    """
    engine = figure.get_layout_engine()
    if engine is None:
        return
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        axis.set_tick_params(labelsize=LOOK["ytick.labelsize"])  # else the number of ticks is another outside the look
        if not axis.get_label_text():
            axis.set_label_coords(0.5, 0.0)  # no place needs to be found for a name that is not there
    with dots_per_inch(figure, DOTS_PER_INCH):
        engine.execute(figure)
    figure.set_layout_engine("none")


@contextmanager
def dots_per_inch(figure: Figure, dots: float) -> Iterator[None]:
    """The figure in another resolution, for as long as the context lasts."""
    before = figure.get_dpi()
    figure.set_dpi(dots)
    try:
        yield
    finally:
        figure.set_dpi(before)


def show_axis(axes: Axes, key: str, values: Floats) -> None:
    """The x axis for the shown `values` of the column `key`.

    Powers of two for sizes and counts; the values themselves where each at least doubles the last; else plain numbers.
    """
    from matplotlib.ticker import FixedLocator, NullLocator

    ticks = _power_ticks(values) if key in POWERS_OF_TWO else _doubling_ticks(values)
    if ticks:
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_locator(FixedLocator(ticks))
        axes.xaxis.set_minor_locator(NullLocator())
    show_numbers(axes.xaxis)


def _power_ticks(values: Floats) -> list[float]:
    """Powers of two around the values; none where these span less than one doubling, or reach 0."""
    low, high = float(values.min()), float(values.max())
    if not 0.0 < 2.0 * low <= high:
        return []
    first, last = math.floor(math.log2(low) + 1e-9), math.ceil(math.log2(high) - 1e-9)
    return [2.0**power for power in range(first, last + 1, 1 + (last - first) // 8)]


def _doubling_ticks(values: Floats) -> list[float]:
    """The values, fewer where they are many; none unless there are three and each at least doubles the last."""
    distinct = sorted({float(value) for value in values})
    if len(distinct) < 3 or distinct[0] <= 0.0 or any(b < 1.99 * a for a, b in pairwise(distinct)):
        return []
    return distinct[::1 + (len(distinct) - 1) // 9]


def show_numbers(axis: Axis) -> None:
    """Tick labels without an exponent; on a decimal logarithmic axis at 1, 2 and 5 of each decade."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, ScalarFormatter

    if axis.get_scale() == "linear":
        plain = ScalarFormatter(useOffset=False)
        plain.set_scientific(False)
        axis.set_major_formatter(plain)
        return
    if isinstance(axis.get_major_locator(), LogLocator):
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axis.set_minor_formatter(NullFormatter())


def label(axis: Axis, key: str) -> None:
    """Name and unit of the column on the axis, on two lines where they are long."""
    text = axis_label(key)
    axis.set_label_text(text if len(text) < LONG else text.replace(" (", "\n("))


def show_note(figure: Figure, text: str) -> None:
    """A small grey line below everything."""
    if text:
        figure.supxlabel(wrapped(figure, text, SMALL), fontsize=SMALL, color=GREY)


def show_legend(figure: Figure, handles: Sequence[Artist], title: str, columns: int) -> None:
    """What the lines and colours mean, and the title, above everything."""
    if handles or title:
        drawn = figure.legend(handles=list(handles), loc="outside upper center", ncols=columns,
                              title=wrapped(figure, title, LOOK["font.size"]) or None)
        drawn.get_title().set_multialignment("center")


def wrapped(figure: Figure, text: str, points: float) -> str:
    """The text in as many lines as the width of the figure asks for, in letters of `points`."""
    letters = figure.get_figwidth() * POINTS_PER_INCH / (LETTER_WIDTH * points)
    return textwrap.fill(text, int(letters))


def shown(key: str, values: Any) -> Any:
    """Values of the column in the unit of its label."""
    return values * quantity(key).factor


def save(figure: Figure, stem: Path | str, provenance: str = "") -> tuple[Path, Path]:
    """Writes STEM.png and STEM.svg and returns their paths; the same figure gives the same bytes.

    Each file appears whole or not at all. `provenance` (version, command) goes into the files' metadata; no date does.
    Raises OSError where the folder cannot be written.
    """
    png, svg = (Path(f"{stem}.{ending}") for ending in ("png", "svg"))
    about = {"Description": provenance} if provenance else {}
    drawn = {svg: _rendered(figure, _svg, {**about, "Creator": "dse", "Date": None}),
             png: _rendered(figure, _png, {**about, "Software": "dse"})}
    png.parent.mkdir(parents=True, exist_ok=True)
    for path, data in drawn.items():
        write(path, partial(_put, data=data))
    return png, svg


def _rendered(figure: Figure, form: Form, metadata: Mapping[str, str | None]) -> bytes:
    stream = io.BytesIO()
    with look():
        settle(figure)
        with dots_per_inch(figure, DOTS_PER_INCH):
            form(figure, stream, metadata)
    return stream.getvalue()


def _svg(figure: Figure, stream: IO[bytes], metadata: Mapping[str, str | None]) -> None:
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    canvas: Any = FigureCanvasSVG(figure)
    canvas.print_svg(stream, metadata=metadata)


def _png(figure: Figure, stream: IO[bytes], metadata: Mapping[str, str | None]) -> None:
    """As red, green and blue: the page is opaque, and without its opacity the file is smaller and written sooner."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    said = PngInfo()
    for key, text in metadata.items():
        said.add_text(key, str(text))
    size = canvas.get_width_height()
    picture = Image.frombuffer("RGBA", size, canvas.buffer_rgba(), "raw", "RGBA", 0, 1).convert("RGB")
    picture.save(stream, "PNG", pnginfo=said, compress_level=COMPRESSION, dpi=(DOTS_PER_INCH, DOTS_PER_INCH))


def _put(stream: IO[bytes], data: bytes) -> None:
    stream.write(data)
