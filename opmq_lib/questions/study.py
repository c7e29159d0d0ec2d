"""The study as tables with French labels, from a notebook of one's own: `opmq_lib.study()`."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from inspect import isfunction, signature
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import pandas as pd

from opmq_lib.arguments import checked, refuse
from opmq_lib.errors import ScopeError, did_you_mean
from opmq_lib.questions.besoins import chain as besoins
from opmq_lib.questions.coeurs_strategiques import chain as coeurs
from opmq_lib.questions.emplois import chain as emplois
from opmq_lib.sources import project, study
from opmq_lib.tables import check


class Study:
    """What the notebooks calculate, for any branches and with other assumptions.

    Args:
        root: Any folder of the project; by default the working folder.

    Raises:
        SchemaError: If the folder lies in no project.
    """

    @checked
    def __init__(self, root: Path | str | None = None) -> None:
        self.root = project.find_root(None if root is None else Path(root))
        self.edition = study.edition(self.root)
        self.labels = study.all_labels(self.root)

    @checked
    def employment(self, branch_codes: Sequence[str] | str) -> pd.DataFrame:
        """Return employment by branch, métier and year: own tables where given, else the estimate.

        Args:
            branch_codes: Keys of table `branches`.

        Returns:
            Rows of the `employment` contract, in heads, with `branch` and `metier`, their names.
        """
        codes = _codes(branch_codes)
        inputs = study.load_inputs(codes, self.root)
        return self._named([emplois.jobs(inputs, code, self.edition) for code in codes])

    def rates(self) -> pd.DataFrame:
        """Return growth and departures of every métier per year, to be changed at will.

        Returns:
            Rows of the `metier_rates` contract, official and our own, in %.
        """
        return besoins.metier_rates(study.load_inputs((), self.root), self.edition)

    @checked
    def needs(
        self,
        branch_codes: Sequence[str] | str,
        scenario: str | None = None,
        rates: pd.DataFrame | None = None,
    ) -> pd.DataFrame:
        """Return departures, net creation and posts to fill by branch and métier.

        Args:
            branch_codes: Keys of table `branches`.
            scenario: Code of a scenario of the edition, or one of `besoins.VARIANTS`; by default
                the first.
            rates: Other rates than those of `rates`, in their shape.

        Returns:
            Rows of the `needs` contract, with `branch` and `metier`, their names.

        Raises:
            ScopeError: If the scenario is unknown; it says which one was probably meant.
            DataError: If rates are not what their contract says, or lack a métier.
        """
        codes, edition = _codes(branch_codes), self.edition
        inputs = study.load_inputs(codes, self.root)
        scenarios, years = study.scenarios(self.root), self.edition.horizon_years
        ages = besoins.ages(inputs, edition)
        official = self.rates()
        given = official if rates is None else check("metier_rates", rates, "rates")
        if lacking := sorted({*official["metier_code"]} - {*given["metier_code"]}):
            expected, fix = "every métier of `rates()`", "change rows of `rates()`, remove none"
            few = ", ".join(lacking[:10])
            raise ScopeError.of("rates", "métiers are missing", expected, fix, few)
        known = [*(each.scenario_code for each in scenarios), *besoins.VARIANTS]
        chosen = scenario or known[0]
        _check("scenario", chosen, known)
        tables = []
        for branch_code in codes:
            jobs = besoins.jobs(inputs, branch_code, edition)
            cells = besoins.cells(inputs, jobs, ages, given, years, edition)
            tables.append(besoins.posts(inputs, cells, scenarios, years, edition))
        posts = self._named(tables)
        return posts[posts["scenario_code"] == chosen].reset_index(drop=True)

    @checked
    def core(
        self, branch_codes: Sequence[str] | str, weights: Mapping[str, float] | None = None
    ) -> pd.DataFrame:
        """Return how often draws of weights put each métier on the two lists, core and strategic.

        Args:
            branch_codes: Keys of table `branches`.
            weights: Other weights by code of criterion, scaled to sum to 1 in each question; by
                default those of the branch's parameters.

        Returns:
            Rows of the `labels` contract, with `branch` and `metier`, their names.
        """
        codes = _codes(branch_codes)
        inputs = study.load_inputs(codes, self.root)
        asked = {code: study.criteria(code, self.root) for code in codes}
        runs = [coeurs.run(inputs, code, self.edition, asked[code], weights) for code in codes]
        return self._named([run["coeurs"] for run in runs])

    @checked
    def results(self, branch_code: str, notebook: str) -> dict[str, pd.DataFrame]:
        """Return the result tables of the last run of a notebook, by name; none if it never ran.

        Args:
            branch_code: A branch, or `commun`.
            notebook: A template's name, such as `01_emplois`.

        Raises:
            ScopeError: If there is no such branch or notebook.
        """
        _check("notebook", notebook, [path.stem for path in self.root.glob("notebooks/*.ipynb")])
        return study.read_results(self.edition.edition_id, branch_code, notebook, self.root)

    @checked
    def piece(self, name: str, branch_code: str, **options: Any) -> Any:
        """Return a figure or a table of a page, from the results of the last run.

        Args:
            name: Notebook and function of its page, such as `01_emplois.fan_figure`.
            branch_code: A branch, or `commun`.
            options: Of that function, such as `metiers`; labels need not be given.

        Raises:
            ScopeError: If the notebook or the function is unknown, or the notebook never ran for
                the branch; it says which one was probably meant.
        """
        notebook, _, function = name.partition(".")
        results = self.results(branch_code, notebook)
        question = notebook.partition("_")[2]
        package = f"opmq_lib.questions.{question}"
        files = [each.name for each in iter_modules(import_module(package).__path__)]
        page: dict[str, Any] = {}
        for file in files:
            page |= vars(import_module(f"{package}.{file}")) if file != "chain" else {}
        takes = {
            name: signature(show).parameters for name, show in page.items() if isfunction(show)
        }
        shown = [name for name in takes if "results" in takes[name] and not name.startswith("_")]
        _check(f"piece of {notebook}", function, shown)
        labels = {
            "labels": self.labels,
            "labels_2021": study.metier_labels("FAP-2021"),
            "regions": study.region_labels(),
            "skills": study.skill_labels(),
            "theme_labels": study.theme_labels(self.root),
        }
        given = {name: labels[name] for name in labels.keys() & takes[function]}
        refuse(page[function], results, **given | options)
        if not results:
            typed = f"opmq run --branch {branch_code} --notebook {notebook}"
            what, fix = "no result", f"type `{typed}` in a terminal"
            raise ScopeError.of("branch", what, "a branch that has some", fix, branch_code)
        return page[function](results, **given | options)

    def _named(self, tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
        table = pd.concat(tables, ignore_index=True)
        names = {name: table[f"{name}_code"].map(self.labels) for name in ("branch", "metier")}
        first = [column for name in names for column in (name, f"{name}_code")]
        return table.assign(**names)[[*first, *table.columns.drop(first, errors="ignore")]]


def _codes(branch_codes: Sequence[str] | str) -> list[str]:
    """Return codes of branches, each once; one alone may be given as it is."""
    listed = [branch_codes] if isinstance(branch_codes, str) else branch_codes
    if codes := list(dict.fromkeys(listed)):
        return codes
    fix = "give one, such as `chimie`"
    raise ScopeError.of("branch_codes", "no branch", "codes of branches", fix)


def _check(kind: str, name: str, known: Sequence[str]) -> None:
    """Refuse a name that is not known, with the one that was probably meant."""
    if name not in known:
        expected, fix = f"one of: {', '.join(sorted(known))}", did_you_mean(name, known)
        raise ScopeError.of(kind, "unknown", expected, fix or "choose one of these", name)
