"""The pages of métiers: one for each that the site names, and their index.

They rest on the result tables that the site publishes and on the embedded tables. A branch whose
pages are withheld is missing there, and named.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from jinja2 import Template
from markupsafe import Markup

from opmq_lib.questions.emplois.chain import GATHERED
from opmq_lib.questions.metier import book as books
from opmq_lib.questions.metier import chain, page
from opmq_lib.runs import folders
from opmq_lib.show import workbook
from opmq_lib.site import content, files
from opmq_lib.site.manifest import Manifest
from opmq_lib.sources import study

FOLDER = "metiers"
_NEEDS = "02_besoins"
_WORD = re.compile(r"[^\W\d]{3,}")
_ENDING = re.compile(r"(?:(?<=t)rice|euse|eur|[eè]re?|ienne|ien|ée?|e)?s?$")
"""Of the forms of a word, what differs."""
_MOST = 12
"""Métiers of a branch that the index lists: all of them would weigh too much."""
_WANTED = {
    "emplois": (chain.JOBS, chain.JOBS_SHARE, GATHERED),
    "besoins": (chain.LEFT, *chain.RATES),
}
"""Indicators read of the long tables; the others are passed over unread."""


def pages(
    root: Path, manifest: Manifest, templates: Callable[[str], Template], folder: Path
) -> dict[str, str]:
    """Return the pages of métiers and their index by path; write their tables to download.

    Args:
        root: Root of the study: its conventions are read, no table of a branch.
        manifest: What there is to publish.
        templates: Gives a template of `pages/` by its name.
        folder: The staged project.
    """
    inputs, given = study.load_inputs(root=root), released(manifest)
    codes = chain.codes(inputs, given)
    tables = chain.results(inputs, given, codes)
    texts = {name: table.to_csv(index=False).encode() for name, table in tables.items()}
    read = {name: files.columns_of(study.text_columns(text)) for name, text in texts.items()}
    book = {name: files.titled(columns) for name, columns in read.items()}
    archive = {f"{name}.csv": files.french_csv(columns) for name, columns in read.items()}
    written = zip(  # no notebooks here
        content.table_files(FOLDER), (workbook.book(book), workbook.packed(archive)), strict=False
    )
    for name, file in written:
        folders.write(folder / name, file)
    arranged = books.book(
        tables,
        chain.taught(inputs, manifest.edition),
        inputs["tension_profiles"],
        {
            "metiers": study.metier_labels(),
            "metiers_2021": study.metier_labels("FAP-2021"),
            "regions": study.region_labels(),
            "romes": study.rome_labels(),
            "skills": study.skill_labels(),
            "branches": study.branch_labels()
            | {each.code: each.label for each in manifest.branches},
        },
        manifest.edition.edition_date.year,
    )
    missing, template = _missing(manifest, given), templates("metier.qmd")
    codes_of, others, found = *_sought(inputs), {}
    for code in codes:
        facts = page.facts(arranged, code)
        body = Markup(page.WORDS.page(facts, missing, "../"))
        found[f"{FOLDER}/{code}.qmd"] = template.render(
            m=facts, body=body, romes=codes_of.get(code, ""), others=others.get(code, "")
        )
    families, branches = books.families(arranged, codes), books.of_branches(arranged, codes)
    index = templates("metiers.qmd").render(families=families, branches=branches, most=_MOST)
    return found | {f"{FOLDER}/index.qmd": index}


def _sought(inputs: Mapping[str, pd.DataFrame]) -> tuple[pd.Series, pd.Series]:
    """Return the codes of the ROME of each métier, and the words of the names of jobs in them."""
    links = inputs["fap_rome"]
    jobs = links.merge(inputs["appellations"], on="rome_code").groupby("metier_code")["label"]
    return links.groupby("metier_code")["rome_code"].agg(" ".join), jobs.agg(_words)


def _words(labels: Iterable[str]) -> str:
    """Return the words of some names, each in one of its genders and numbers.

    Examples:
        >>> _words(["Soudeur / Soudeuse à l'arc", "Soudeurs de rails"])
        'soudeurs arc rails'
    """
    words = _WORD.findall(" ".join(labels).lower())
    return " ".join({_ENDING.sub("", word): word for word in words}.values())


def released(manifest: Manifest) -> dict[str, pd.DataFrame]:
    """Return the result tables that the pages read, all branches in one, without what is not read.

    Raises:
        ConfidentialityError: If a file is no longer the one that the manifest has checked.
    """
    parts: dict[str, list[pa.Table]] = defaultdict(list)
    for branch, run in manifest.runs:
        for name in chain.RELEASED.get(run.notebook, ()) if branch is not None else ():
            table = pa.table(run.tables.get(name, {}))
            if asked := _WANTED.get(name):
                if "indicator" not in table.column_names:  # another table of the same name
                    continue
                table = table.filter(pc.is_in(table["indicator"].cast("string"), pa.array(asked)))
            if table.num_rows:
                parts[name].append(table)
    return {
        name: study.typed(pa.concat_tables(each, promote_options="default"))
        for name, each in parts.items()
    }


def _missing(manifest: Manifest, given: Mapping[str, pd.DataFrame]) -> dict[str, list[str]]:
    """Return the branches that the pages have nothing of: not published, or without headcount."""
    table = given.get("besoins", pd.DataFrame({"branch_code": [], "indicator": []}))
    known = {*table.loc[table["indicator"] == chain.LEFT, "branch_code"]}
    absent = [each for each in manifest.branches if each.code not in known]
    states = {each.code: each.runs[_NEEDS].status for each in absent if _NEEDS in each.runs}
    return {
        "withheld": [each.label for each in absent if states.get(each.code) == "withheld"],
        "not_run": [
            each.label for each in absent if states.get(each.code) in ("failed", "missing")
        ],
        "no_headcount": [each.label for each in absent if states.get(each.code) == "ok"],
    }
