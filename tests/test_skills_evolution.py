"""What changes in métiers: marks of ROME and ESCO, two versions, moves between métiers."""

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from opmq_lib.cli.app import app
from opmq_lib.errors import SchemaError
from opmq_lib.methods.needs.qualifications import class_of
from opmq_lib.methods.skills import evolution
from opmq_lib.questions.changements import chain, page
from opmq_lib.sources import embedded, study
from opmq_lib.sources.producers import rome

RAW = Path(__file__).parent.parent.parent / "shared" / "data" / "skills"
OWN = ["D2Z40", "D2Z41", "D2Z42"]
beside_the_files = pytest.mark.skipif(
    not RAW.is_dir(), reason="the producers' files are not beside this checkout"
)


def rows(path: str, skip: int = 0) -> list[dict[str, str]]:
    with (RAW / path).open(encoding="utf-8-sig", newline="") as lines:
        for _ in range(skip):
            next(lines)
        return list(csv.DictReader(lines))


def raw(stem: str) -> list[dict[str, str]]:
    return rows(f"rome_v460/unix_{stem}_v460_utf8.csv")


@beside_the_files
def test_counts_by_metier_are_those_of_the_raw_files() -> None:
    """Read again with the standard library alone, métier by métier (FAP)."""
    parent = {row["code_rome"]: row["code_rome_parent"] for row in raw("referentiel_code_rome")}
    done = [row for row in raw("referentiel_competence") if row["nature"] == "Compétence"]
    known = [row | {"code_ogr": row["code_ogr_savoir"], "libelle_competence": row["libelle_savoir"]}
             for row in raw("referentiel_savoir")]  # fmt: skip
    skill = {row["code_ogr"]: row for row in (*done, *known)}
    relations, linked = set(), defaultdict(set)
    file = "esco/escocompetencemappingfinalreport-fr-nl-45-v3.8.csv"
    for row in rows(file, skip=16):
        if row["Mapping Relation"] in ("skos:exactMatch", "skos:narrowMatch"):
            relations.add(row["Mapping Relation"])
            linked[" ".join(row["Classification 2 PrefLabel FR"].split())].add(
                row["Classification 1 URL"]
            )
    assert relations == set(rome.ESCO_RELATIONS)
    collections = {
        name: {row["conceptUri"] for row in rows(f"esco/{name}SkillsCollection_fr.csv")}
        for name in ("green", "digital")
    }
    has, emerging = defaultdict(set), defaultdict(set)
    for row in raw("coherence_item"):
        code, of = row["code_ogr"], parent[row["code_rome"]]
        if code in skill:
            has[of].add(code)
        if row["coeur_metier"] == "Émergente":
            emerging[of].add(code)
    links = embedded.load("fap_rome")
    found = evolution.marked(links, embedded.load("rome_facts")).set_index("metier_code")
    items = evolution.named(links.assign(part=1.0), embedded.load("rome_items"))
    named = items[items["fact_code"] == "emerging"].groupby("metier_code")["item_code"].agg(set)
    assert len(found) == links["metier_code"].nunique() == 208
    for metier, own in links.groupby("metier_code"):
        counts = dict.fromkeys(found, 0)
        for of in own["rome_code"]:
            for each in (skill[code] for code in has[of]):
                uris = linked.get(" ".join(each["libelle_competence"].split()), set())
                counts["skills_count"] += 1
                counts["ecological_skills_count"] += each["transition_eco"] == "O"
                counts["ecological_unsaid_count"] += each["transition_eco"] == ""
                counts["digital_skills_count"] += each["transition_num"] == "O"
                counts["digital_unsaid_count"] += each["transition_num"] == ""
                counts["esco_skills_count"] += bool(uris)
                counts["esco_links_count"] += len(uris)
                for name, members in collections.items():
                    counts[f"esco_{name}_skills_count"] += bool(uris & members)
        assert found.loc[metier].to_dict() == counts, metier
        assert named.get(metier, set()) == set().union(*(emerging[of] for of in own["rome_code"]))


Row = tuple[str, str, str]
"""A record, a code, a label."""


def edited(old: list[Row], draw: np.random.Generator) -> tuple[list[Row], set[tuple[str, ...]]]:
    """A later version, and what was changed: record, change, code, new code."""
    order = [int(place) for place in draw.permutation(len(old))]
    new, truth = [old[place] for place in order[12:]], set()
    for at, place in enumerate(order[:12]):
        record, code, label = old[place]
        fresh = f"9{at:05d}"
        if at < 3:
            truth.add((record, "dropped", code, ""))
        elif at < 6:
            truth.add((record, "added", fresh, ""))
            new += [old[place], (record, fresh, f"{at} " + "xyzw" * (5 + at))]
        else:
            after = fresh if at < 9 else code
            truth.add((record, "renamed", code, after))
            new.append((record, after, f"{label} (révisé)"))
    return new, truth


@beside_the_files
def test_two_hundred_edited_versions_differ_by_what_was_edited() -> None:
    """Each set of edits is of three records of its own, all compared in one call."""
    whole, draw = rome.read_version(RAW / "rome_v460"), np.random.default_rng(20)
    whole = whole[whole["label"].str.len() > 25]  # so that “(révisé)” leaves them alike
    by_record = defaultdict(list)
    for code, skill, label in whole[["rome_code", "skill_code", "label"]].to_numpy():
        by_record[code].append((skill, label))
    old, new, truths = [], [], []
    for at in range(200):
        codes = draw.choice(sorted(by_record), 3, replace=False)
        mine = [(f"{at}-{code}", *each) for code in codes for each in by_record[code]]
        later, truth = edited(mine, draw)
        old, new, truths = old + mine, new + later, [*truths, truth]
    columns = ["rome_code", "skill_code", "label"]
    found = evolution.changes(*(pd.DataFrame(rows, columns=columns) for rows in (old, new)))
    columns = ["rome_code", "change_code", "skill_code", "new_skill_code"]
    sets = found[columns].groupby(found["rome_code"].str.partition("-")[0])
    for at, truth in enumerate(truths):
        mine = [*sets.get_group(str(at)).itertuples(index=False, name=None)]
        assert (set(mine), len(mine)) == (truth, 12)
    renamed = found[found["change_code"] == "renamed"]
    assert (renamed["similarity"] >= evolution.LEAST_SIMILARITY).all()


def test_the_threshold_is_what_parts_a_rename_from_a_new_skill(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old = pd.DataFrame({"rome_code": ["H1"], "skill_code": ["1"], "label": ["Souder à l'arc"]})
    new = old.assign(skill_code="2", label="Souder à l'arc TIG")
    likeness = evolution.changes(old, new)["similarity"].item()
    assert likeness == pytest.approx(2 * 14 / (14 + 18))
    monkeypatch.setattr(evolution, "LEAST_SIMILARITY", likeness)
    assert len(evolution.changes(old, new)) == 1
    monkeypatch.setattr(evolution, "LEAST_SIMILARITY", likeness + 1e-9)
    apart = evolution.changes(old, new)
    assert apart["change_code"].tolist() == ["added", "dropped"]
    assert evolution.changes(old, old).empty


def version(folder: Path, names: dict[str, str]) -> Path:
    """A version of ROME with one record and the skills given."""
    folder.mkdir()
    files = {
        "referentiel_code_rome": [
            "code_rome,code_rome_parent,libelle_rome,transition_eco,transition_num",
            "H2302,H2301,Opérateur,Emploi Blanc,N",
        ],
        "coherence_item": ["code_rome,code_ogr,coeur_metier", *(f"H2302,{c}," for c in names)],
        "referentiel_competence": [
            "code_ogr,nature,libelle_competence,cat_comp,transition_eco,transition_num,"
            "code_ogr_macro_comp,code_macro_comp",
            *(f"{code},Compétence,{label},Savoir-faire,N,N,," for code, label in names.items()),
        ],
        "referentiel_savoir": ["code_ogr_savoir,libelle_savoir,transition_eco,transition_num"],
    }
    for stem, lines in files.items():
        path = folder / f"unix_{stem}_v{folder.name[1:]}_utf8.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_the_command_compares_two_folders_by_record_and_by_metier(tmp_path: Path) -> None:
    old = version(tmp_path / "v1", {"1": "Doser des produits", "2": "Tenir un cahier"})
    new = version(tmp_path / "v2", {"1": "Doser des produits", "3": "Piloter un automate"})
    output = tmp_path / "c.csv"

    def said(*options: str) -> str:
        arguments = ["skills", "changes", str(old), str(new), "-o", str(output), *options]
        return CliRunner().invoke(app, arguments, catch_exceptions=False).output

    assert "version 1 to 2: 1 added, 1 dropped, 0 renamed" in said()
    assert pd.read_csv(output)["rome_code"].tolist() == ["H2302"] * 2
    assert "80%" in said("--by", "metier")
    links = embedded.load("fap_rome")
    metiers = set(links.loc[links["rome_code"] == "H2301", "metier_code"])
    assert set(pd.read_csv(output)["metier_code"]) == metiers
    (old / "unix_referentiel_savoir_v1_utf8.csv").unlink()
    (old / "unix_coherence_item_v3_utf8.csv").write_text("x", encoding="utf-8")
    with pytest.raises(SchemaError) as caught:
        said()
    assert len(caught.value.defects) == 2


@beside_the_files
def test_moves_are_those_that_the_rome_names_between_records() -> None:
    parent = {row["code_rome"]: row["code_rome_parent"] for row in raw("referentiel_code_rome")}
    named = {
        (parent[r["code_rome"]], parent[r["code_rome_cible"]]) for r in raw("rubrique_mobilite")
    }
    moves = embedded.load("rome_moves")
    assert set(moves.itertuples(index=False, name=None)) == {(a, b) for a, b in named if a != b}


@pytest.fixture(scope="module")
def results() -> dict[str, pd.DataFrame]:
    inputs, codes = study.load_inputs(["nautisme"]), ["D1Z41", "D0Z20"]
    records = chain.records(inputs, "nautisme")
    facts = chain.facts(inputs, "nautisme", [*codes, "0Z000"], records)
    ways = chain.ways(inputs, "nautisme", codes, OWN, records)
    return chain.results(facts, ways, pd.DataFrame())


def test_near_metiers_fall_and_share_what_both_have(results: dict[str, pd.DataFrame]) -> None:
    inputs, ways = study.load_inputs(["nautisme"]), results[chain.WAYS]
    records = chain.records(inputs, "nautisme")
    growth = chain.official_growth(inputs, records["metier_code"])
    assert (growth[ways["metier_code"]] < 0).all()
    assert set(ways["target_metier_code"]) == {"D1Z41", "D0Z20"}
    near = ways.dropna(subset="near_rank").groupby("target_metier_code")["near_rank"]
    assert near.agg(list).map(sorted).isin([[1], [1, 2], [1, 2, 3]]).all()
    leaving = ways.dropna(subset="exit_rank")
    assert set(leaving["metier_code"]) <= set(OWN)
    assert (leaving["target_growth_rate_pct"] >= 0).all()
    items, moves = inputs["rome_items"], inputs["rome_moves"]
    macros = items[items["fact_code"] == "macro"].groupby("rome_code")["item_code"].agg(set)
    of = records.groupby("metier_code")["rome_code"].agg(set)
    row = ways.iloc[0]
    one, other = of[row["metier_code"]], of[row["target_metier_code"]]
    have, ask = (set().union(*(macros.get(code, set()) for code in side)) for side in (one, other))
    assert (row["shared_count"], row["to_learn_count"]) == (len(have & ask), len(ask - have))
    assert row["shared_share"] == pytest.approx(len(have & ask) / len(have | ask))
    assert (moves["rome_code"].isin(one) & moves["target_rome_code"].isin(other)).any()


def test_near_metiers_have_neighbouring_qualifications_and_a_tenth_in_common() -> None:
    """Records of ROME lead from unskilled workers to engineers; nobody is told so."""
    inputs = study.load_inputs(["chimie"])
    records = chain.records(inputs, "chimie")
    codes = records["metier_code"].unique()
    moves = evolution.metier_moves(records, inputs["rome_moves"])
    assert ((moves["metier_code"] == "E0Z20") & (moves["target_metier_code"] == "N0Z90")).any()
    rows = chain.near(inputs, records, codes, codes)
    ends = [rows[name].map(class_of) for name in ("metier_code", "target_metier_code")]
    far = {("unskilled", "technicians"), ("unskilled", "managers"), ("skilled", "managers")}
    assert not {*zip(*ends, strict=True), *zip(*reversed(ends), strict=True)} & far
    assert rows["shared_share"].min() >= 0.1
    assert len(rows) > 500


def test_a_page_names_possibilities_sources_and_a_metier_without_facts(
    results: dict[str, pd.DataFrame],
) -> None:
    labels = study.metier_labels() | {"0Z000": "Métier sans code"}
    shown = page.metiers(results, labels).html
    without = shown[shown.index("Métier sans code") :]
    assert without.count("<li>") == 1
    assert "Rien n’est publié" in without
    for text in ("ROME 4.0, version 460", "Dares, 2019", "liste verte", "en 2004"):
        assert text in shown
    assert "nouveau" not in shown
    facts = results[chain.FACTS]
    is_emerging = facts["fact_code"].eq("emerging").any()
    assert is_emerging != ("Aucune" in page.findings(results, labels).html)
    assert "Une seule version du ROME" in page.banner(results).html
    for table in (page.near_table(results, labels), page.exit_table(results, labels)):
        assert "Des possibilités, non des flux observés" in table.html


def test_marks_that_the_rome_does_not_give_are_not_zero(results: dict[str, pd.DataFrame]) -> None:
    facts = results[chain.FACTS]
    marks = facts[(facts["metier_code"] == "D1Z41") & (facts["fact_code"] == "ecological")]
    silent = marks.iloc[0]
    assert silent["unsaid_count"] == silent["denominator_count"]
    assert silent["status"] == "nd"
    assert np.isnan(silent["value"])
