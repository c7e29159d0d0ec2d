"""A workbook for readers, written part by part: a branch has a hundred thousand cells.

Its bytes depend on its cells alone. A text is a text, whatever it begins with.
"""

import io
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_KIND: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f]")
_STYLES: Final = (
    f'<styleSheet xmlns="{_MAIN}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill>'
    '<patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '</fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="3"><xf xfId="0"/><xf xfId="0" fontId="1" applyFont="1" applyAlignment="1">'
    '<alignment wrapText="1" vertical="top"/></xf><xf xfId="0" applyAlignment="1">'
    '<alignment wrapText="1" vertical="top"/></xf></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>"
)


class Cells(NamedTuple):
    """One column of a sheet: its title, its cells (see `column`), whether these are numbers."""

    title: str
    texts: Any
    is_number: bool = False


def column(texts: Sequence[str]) -> Any:
    """Return the cells of a column: each text once, and which one stands in each line."""
    return pa.array(texts, pa.string()).dictionary_encode()


def mapped(texts: Any, form: Callable[[str], str]) -> Any:
    """Return the cells of a column, each different text in another form.

    Examples:
        >>> mapped(column(["a", "b", "a"]), str.upper).to_pylist()
        ['A', 'B', 'A']
    """
    forms = pa.array([form(text) for text in texts.dictionary.to_pylist()], pa.string())
    return with_forms(texts, forms)


def with_forms(texts: Any, forms: Any) -> Any:
    """Return the cells of a column, each different text in the form that stands at its place."""
    return pa.DictionaryArray.from_arrays(texts.indices, forms, safe=False)


def joined(columns: Sequence[Any], between: str, line: str) -> bytes:
    """Return the lines of some columns of the same length as one text, in UTF-8.

    Examples:
        >>> joined([column(["a", "b"]), column(["1", "1"])], ";", "/")
        b'a;1/b;1'
    """
    if not columns:
        return b""
    first, *others = columns
    cells = (
        each.dictionary[0] if len(each.dictionary) == 1 else each.dictionary_decode()
        for each in others
    )
    lines = pc.binary_join_element_wise(first.dictionary_decode(), *cells, between)
    one = pc.binary_join(pa.ListArray.from_arrays([0, len(lines)], lines), line)[0]
    return bytes(one.as_buffer())


def book(sheets: Mapping[str, Sequence[Cells]]) -> bytes:
    """Return a workbook.

    Args:
        sheets: Name → columns of the same length; an empty text is an empty cell.

    Examples:
        >>> import openpyxl
        >>> name, number = Cells("Nom", column(["=1+1"])), Cells("Nombre", column(["2.5"]), True)
        >>> content = book({"a": [name, number]})
        >>> [*openpyxl.load_workbook(io.BytesIO(content))["a"].values]
        [('Nom', 'Nombre'), ('=1+1', 2.5)]
    """
    strings: dict[str, int] = {}
    pages = [_sheet(columns, strings) for columns in sheets.values()]
    numbers = range(1, len(pages) + 1)
    listed = "".join(
        f'<sheet name="{escape(name)}" sheetId="{n}" r:id="r{n}"/>'
        for n, name in zip(numbers, sheets, strict=True)
    )
    others = {"styles": "styles", "sharedStrings": "sharedStrings"}
    targets = {f"r{n}": (f"worksheets/sheet{n}.xml", "worksheet") for n in numbers}
    targets |= {name: (f"{name}.xml", kind) for name, kind in others.items()}
    kinds = {f"/xl/{target}": f"{_KIND}.{kind}+xml" for target, kind in targets.values()}
    kinds["/xl/workbook.xml"] = f"{_KIND}.sheet.main+xml"
    texts = "".join(f'<si><t xml:space="preserve">{_plain(text)}</t></si>' for text in strings)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        + "".join(
            f'<Override PartName="{part}" ContentType="{kind}"/>' for part, kind in kinds.items()
        )
        + "</Types>",
        "_rels/.rels": _links({"r0": ("xl/workbook.xml", "officeDocument")}),
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{listed}'
        "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": _links(targets),
        "xl/styles.xml": _STYLES,
        "xl/sharedStrings.xml": f'<sst xmlns="{_MAIN}">{texts}</sst>',
    }
    files = {name: (_HEAD + text).encode() for name, text in parts.items()}
    files |= {f"xl/worksheets/sheet{n}.xml": page for n, page in zip(numbers, pages, strict=True)}
    return packed(files)


def packed(files: Mapping[str, bytes]) -> bytes:
    """Return files in one zip, without the time at which it was made."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        for name, text in files.items():
            made.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED, 6)
    return content.getvalue()


def _sheet(columns: Sequence[Cells], strings: dict[str, int]) -> bytes:
    def xml(text: str, style: str) -> str:
        if not text:
            return "<c/>"
        return f'<c t="s"{style}><v>{strings.setdefault(text, len(strings))}</v></c>'

    def cells(each: Cells) -> Any:
        if each.is_number:
            texts = each.texts.dictionary
            filled = pc.binary_join_element_wise("<c><v>", texts, "</v></c>", "")
            forms = pc.if_else(pc.equal(texts, ""), "<c/>", filled)
            return with_forms(each.texts, forms)
        style = ' s="2"' if _longest(each) > _WIDE else ""
        return mapped(each.texts, lambda text: xml(text, style))

    head = "".join(xml(each.title, ' s="1"') for each in columns)
    rows = joined([*map(cells, columns)], "", "</row><row>")
    widths = "".join(
        f'<col min="{n}" max="{n}" width="{_width(each)}" customWidth="1"/>'
        for n, each in enumerate(columns, start=1)
    )
    before = (
        f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0"><pane '
        'ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView>'
        f"</sheetViews><cols>{widths}</cols><sheetData><row>{head}</row><row>"
    )
    return b"".join([before.encode(), rows, b"</row></sheetData></worksheet>"])


_WIDE = 60


def _width(each: Cells) -> int:
    return min(_WIDE, max(12, 0 if each.is_number else _longest(each) + 2))


def _longest(each: Cells) -> int:
    return max(map(len, each.texts.dictionary.to_pylist()), default=0)


def _plain(text: str) -> str:
    return escape(_CONTROL.sub("", text), quote=False)


def _links(targets: Mapping[str, tuple[str, str]]) -> str:
    links = "".join(
        f'<Relationship Id="{id_}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for id_, (target, kind) in targets.items()
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{links}</Relationships>'
