"""Drawings of the report: real text, values written, names that do not hide each other."""

import re
from itertools import pairwise

from opmq_lib.show import figures, french, plots, svg
from opmq_lib.show.pieces import Html
from opmq_lib.show.svg import Bar, Dot, Fan, Line

NAMES = [f"Ouvriers qualifiés de la fabrication n° {number}" for number in range(12)]


def texts(drawing: str) -> list[tuple[float, float, str, str]]:
    found = re.findall(
        r'<text x="(-?\d+)" y="(-?\d+)"(?: text-anchor="(\w+)")?[^>]*class="halo">([^<]*)', drawing
    )
    return [(float(x), float(y), anchor or "start", words) for x, y, anchor, words in found]


def test_bars_write_their_values_and_keep_their_lengths() -> None:
    drawing = svg.bars([Bar("Cadres", 40.0, "40 %", mark=50.0), Bar("Ouvriers", 20.0, "20 %")])
    long, short = (float(x) for x in re.findall(r'width="([\d.]+)" height="15.0"', drawing))
    assert abs(long / short - 2) < 0.01
    assert "Cadres" in drawing
    assert "20 %" in drawing


def test_what_is_written_stays_text_and_markup_is_escaped() -> None:
    assert "R&amp;D &lt;b&gt;" in svg.bars([Bar("R&D <b>", 1.0, "1")])


def test_colours_follow_the_page_and_letters_are_never_under_twelve_pixels_on_a_phone() -> None:
    drawing = svg.dots([Dot(name, 2.0, 1.0, 3.0, "2e sur 58") for name in NAMES], 2.5)
    assert set(re.findall(r'(?:fill|stroke)="([^"]*)"', drawing)) <= {
        svg.INK, svg.MUTED, svg.DATA, svg.SOFT, svg.PAPER, svg.LINE, svg.HOT,
    }  # fmt: skip
    sizes = [float(size) for size in re.findall(r'font-size="([\d.]+)"', drawing)]
    assert min(sizes) * 343 / svg.WIDTH >= 11.9


def test_no_name_of_a_scatter_hides_another_one() -> None:
    points = [
        Dot(name, 1 + at % 4, 0.5 + at % 4, 2 + at % 4, height=at / 12, size=0.5)
        for at, name in enumerate(NAMES)
    ]
    drawn = texts(svg.scatter(points, 2.5, ("Départs", "Tendu", "le pays")))
    boxes = []
    for x, y, anchor, words in drawn:
        length = 7.2 * len(words)
        left = {"start": x, "end": x - length, "middle": x - length / 2}[anchor]
        boxes.append((left, y - 10, left + length, y + 2))
    assert len(boxes) >= len(NAMES)
    hidden = [
        (one, other)
        for at, one in enumerate(boxes)
        for other in boxes[at + 1 :]
        if min(one[2], other[2]) > max(one[0], other[0])
        and min(one[3], other[3]) > max(one[1], other[1])
    ]
    assert hidden == []


WEDGE = Fan(
    "Cadres", [(2004, 14.2), (2018, 9.8)], [(2030, 8.6)], [[(2030, 5.0, 12.0)]], [(2023, 9.0)]
)


def test_a_fan_writes_its_first_and_last_values_and_the_ends_of_its_interval() -> None:
    drawing = svg.fan(WEDGE, 40.0, french.percent)
    assert all(f">{share}\u00a0%<" in drawing for share in (14, 10, 9, 5, 12))
    unsure = svg.fan(WEDGE._replace(is_sure=False), 40.0, french.percent)
    assert ">14\u00a0%<" not in unsure
    assert ">12\u00a0%<" in unsure


def test_words_at_the_end_of_a_fan_or_of_lines_do_not_touch() -> None:
    near = [Line(name, [(2000, 4.0), (2010, 5.0 + at / 100)]) for at, name in enumerate("abcd")]
    for drawing in (svg.lines(near, french.number, 400), svg.fan(WEDGE, 400, french.percent)):
        found = re.findall(r'<text x="(\d+)" y="(\d+)"[^>]*>(?!20\d\d<)', drawing)
        right = max(int(x) for x, _ in found)
        places = sorted(int(y) for x, y in found if int(x) == right)
        assert len(places) == 4
        assert all(low - high >= 14 for high, low in pairwise(places))


def test_names_are_whole_on_a_phone_and_on_a_wide_screen() -> None:
    name = "Techniciens et agents de maîtrise de la maintenance et de l’environnement industriels"
    for drawing in (
        svg.bars([Bar(name, 1, "1")]),
        svg.dots([Dot(name, 2, 1, 3)]),
        svg.dots([Dot(name, 2, 1, 3)], is_wide=True),
    ):
        assert "…" not in drawing
        assert " ".join(re.findall(r">([^<>0-9]+)</text>", drawing)) == name


def test_matplotlib_draws_the_same_rows_for_a_researcher() -> None:
    bars = plots.plot([Bar("Cadres", 40.0, "40 %"), Bar("Ouvriers", 20.0, "20 %")])
    assert [patch.get_width() for patch in bars.axes[0].patches] == [40.0, 20.0]
    fans = figures.figure(("T", "", "S"), [WEDGE], [], Html("")).plot()
    assert fans.axes[0].lines[0].get_ydata().tolist() == [14.2, 9.8]
    lines = plots.plot([Line("a", [(2000, 1.0), (2001, 2.0)])])
    assert lines.axes[0].lines[0].get_label() == "a"
    assert "<svg" in lines._repr_svg_()
