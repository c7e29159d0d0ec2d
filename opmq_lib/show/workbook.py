"""A workbook for readers, written part by part: a branch has a hundred thousand cells.

Its bytes depend on its cells alone. A text is a text, whatever it begins with.
"""

import io
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Final, NamedTuple

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
    """One column of a sheet: its title, its cells as texts, whether these are numbers."""

    title: str
    texts: Sequence[str]
    is_number: bool = False


def book(sheets: Mapping[str, Sequence[Cells]]) -> bytes:
    """Return a workbook.

    Args:
        sheets: Name → columns of the same length; an empty text is an empty cell.

    Examples:
        >>> import openpyxl
        >>> content = book({"a": [Cells("Nom", ["=1+1"]), Cells("Nombre", ["2.5"], True)]})
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
    parts |= {f"xl/worksheets/sheet{n}.xml": page for n, page in zip(numbers, pages, strict=True)}
    return packed({name: (_HEAD + text).encode() for name, text in parts.items()})


def packed(files: Mapping[str, bytes]) -> bytes:
    """Return files in one zip, without the time at which it was made."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in files.items():
            made.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
    return content.getvalue()


def _sheet(columns: Sequence[Cells], strings: dict[str, int]) -> str:
    def xml(text: str, style: str, is_number: bool = False) -> str:
        if not text:
            return "<c/>"
        if is_number:
            return f"<c><v>{text}</v></c>"
        return f'<c t="s"{style}><v>{strings.setdefault(text, len(strings))}</v></c>'

    def cells(column: Cells) -> Iterable[str]:
        style = ' s="2"' if any(len(text) > _WIDE for text in set(column.texts)) else ""
        known = {text: xml(text, style, column.is_number) for text in dict.fromkeys(column.texts)}
        return map(known.__getitem__, column.texts)

    head = "".join(xml(column.title, ' s="1"') for column in columns)
    rows = "</row><row>".join(map("".join, zip(*map(cells, columns), strict=True)))
    widths = "".join(
        f'<col min="{n}" max="{n}" width="{_width(column)}" customWidth="1"/>'
        for n, column in enumerate(columns, start=1)
    )
    return (
        f'<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" '
        'topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        f"<cols>{widths}</cols><sheetData><row>{head}</row><row>{rows}</row></sheetData>"
        "</worksheet>"
    )


_WIDE = 60


def _width(column: Cells) -> int:
    longest = max(map(len, set(column.texts)), default=0) if not column.is_number else 0
    return min(_WIDE, max(12, longest + 2))


def _plain(text: str) -> str:
    return escape(_CONTROL.sub("", text), quote=False)


def _links(targets: Mapping[str, tuple[str, str]]) -> str:
    links = "".join(
        f'<Relationship Id="{id_}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for id_, (target, kind) in targets.items()
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{links}</Relationships>'
