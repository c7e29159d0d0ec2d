from pathlib import Path

import pytest

from opmq_lib.site.check import check

PAGE = '<html lang="fr"><head><link href="a.css" rel="stylesheet"></head><body><h1>A</h1>{}</body>'


def site(folder: Path, body: str = "", **files: str) -> Path:
    (folder / "index.html").write_text(PAGE.format(body), encoding="utf-8")
    (folder / "a.css").write_text(files.pop("css", ""), encoding="utf-8")
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def found(folder: Path, *forbidden: str) -> list[str]:
    defects, _ = check(folder, forbidden)
    return [f"{defect.what}: {defect.value}" for defect in defects]


def test_a_sound_site_has_no_defect(tmp_path: Path) -> None:
    body = '<p data-x="NaN">NaNterre</p><h2 id="b">B</h2><a href="#b">b</a><a href="https://exemple.fr">c</a>'
    assert found(site(tmp_path, body)) == []


@pytest.mark.parametrize(
    ("body", "defect"),
    [
        ("<h1>B</h1>", "first-level headings: 2"),
        ('<img src="a.css">', "image without text alternative: a.css"),
        ('<img src="a.css" alt=" ">', "image without text alternative: a.css"),
        ('<a href="b.html">b</a>', "link to what is not in the site: b.html"),
        ('<a href="../b.html">b</a>', "link to what is not in the site: ../b.html"),
        ('<a href="#c">c</a>', "link to an anchor that is not there: #c"),
        ('<a href="index.html#c">c</a>', "link to an anchor that is not there: index.html#c"),
        ('<img src="c.svg" alt="c">', "link to what is not in the site: c.svg"),
        ('<script src="//b.fr/a.js"></script>', "loads something from elsewhere: //b.fr/a.js"),
        (
            '<p style="background: url(https://b.fr/a)">',
            "loads something from elsewhere: https://b.fr/a",
        ),
        ('<div class="cell-output-error">x</div>', "cells ended in an error: 1"),
        ('<img src=//e.com/a.png alt="', "a tag that never closes: <img"),
        ("<table><td>NaN</td></table>", "a number is missing and nothing says why: NaN"),
        ("<td>&lt;NA&gt;</td>", "a number is missing and nothing says why: <NA>"),
        ("<p>/home/marie/a.csv</p>", "path of a machine: /home/marie"),
        (r"<p>C:\Users\marie</p>", r"path of a machine: C:\Users"),
    ],
)
def test_a_fault_of_a_page_is_found(tmp_path: Path, body: str, defect: str) -> None:
    assert found(site(tmp_path, body)) == [defect]


def test_a_page_in_another_language_is_found(tmp_path: Path) -> None:
    (site(tmp_path) / "b.html").write_text("<html><h1>B</h1></html>", encoding="utf-8")
    assert found(tmp_path) == ["language of the page: "]


def test_a_style_sheet_that_loads_from_elsewhere_is_found(tmp_path: Path) -> None:
    css = '@import "https://b.fr/police.css"; p { background: url(a.png) }'
    assert found(site(tmp_path, css=css)) == [
        "loads something from elsewhere: https://b.fr/police.css"
    ]


def test_the_path_of_the_project_is_found_in_files_to_download(tmp_path: Path) -> None:
    assert found(site(tmp_path, donnees="a,/data/etude/b"), "/data/etude") == [
        "path of a machine: /data/etude"
    ]


def test_an_address_that_looks_like_a_path_is_not_one(tmp_path: Path) -> None:
    assert found(site(tmp_path, '<a href="https://exemple.fr/home/marie">a</a> et/home/a')) == []


def test_a_site_without_home_is_found(tmp_path: Path) -> None:
    assert found(tmp_path) == ["no home page: None"]


def test_an_image_written_in_its_page_is_no_file(tmp_path: Path) -> None:
    image = f'<img alt="a" src="data:image/png;base64,{"A" * 5000}"><img alt="b" src=" ">'
    assert check(site(tmp_path, image)) == ([], [])


def test_a_heavy_page_is_only_a_warning(tmp_path: Path) -> None:
    defects, warnings = check(site(tmp_path, "x" * 201_000))
    assert defects == []
    assert warnings == ["index.html: 201 kB to open, more than 200"]
