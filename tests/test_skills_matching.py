"""Free French titles and skills to codes."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opmq_lib.errors import DataError, RangeError, SchemaError
from opmq_lib.matching import build_index, match_labels
from opmq_lib.sources import labels

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "skills"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the producers' files are absent")


@pytest.fixture(scope="module")
def titles():
    return labels.core_labels("titles")


def best(query, corpus):
    return match_labels([query], corpus, top_k=1).iloc[0]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("SOUDEUSE TIG", "H2913"),
        ("soudeur/soudeuse", "H2913"),
        ("Soudeur(se)", "H2913"),
        ("chaudronier", "H2902"),
        ("tech. de maintenance indus.", "I1304"),
        ("électromécanicienne de maintenance industrielle", "I1304"),
    ],
)
def test_gender_case_abbreviations_and_typing_errors_find_the_same_metier(titles, query, code):
    assert best(query, titles)["code"] == code


def test_ordinary_titles_of_all_branches_are_matched(titles):
    known = {
        "RH": "M1503", "DRH": "M1503", "comptable": "M1203", "contrôleur de gestion": "M1204",
        "soudeur": "H2913", "ingénieur qualité": "H1502", "technicien de maintenance": "I1304",
        "assistante de direction": "M1604", "secrétaire": "M1607", "juriste": "K1903",
        "chef de projet informatique": "M1805", "développeur web": "M1805", "acheteur": "M1101",
        "commercial": "D1401", "responsable logistique": "N1301", "magasinier": "N1103",
        "cariste": "N1101", "chauffeur poids lourd": "N4101", "cuisinier": "G1602",
        "agent de nettoyage": "K2204",
    }  # fmt: skip
    found = match_labels(known, titles, top_k=1).set_index("query")
    assert found["code"].to_dict() == known
    assert found["unsure"].sum() <= 2


def test_the_answer_is_ranked_with_decreasing_confidence(titles):
    found = match_labels(["technicien de maintenance", "soudeur"], titles, top_k=7)
    assert list(found) == ["query", "rank", "code", "label", "confidence", "unsure"]
    for _, rows in found.groupby("query"):
        assert rows["rank"].tolist() == list(range(1, len(rows) + 1))
        assert rows["confidence"].is_monotonic_decreasing
        assert rows["code"].is_unique
        assert len(set(rows["unsure"])) == 1


def test_each_label_given_finds_its_own_code(titles):
    sample = titles.sample(400, random_state=0)
    found = match_labels(sample["label"], titles, top_k=3)
    own = titles.groupby("label")["code"].agg(set)
    hits = found.groupby("query")["code"].agg(set)
    assert np.mean([bool(hits[label] & own[label]) for label in hits.index]) >= 0.98


def test_what_shares_nothing_is_unsure_and_has_no_code(titles):
    found = match_labels(["", "???", "xyzzy"], titles)
    assert found["query"].tolist() == ["", "???", "xyzzy"]
    assert set(found["code"]) == {""}
    assert found["unsure"].all()
    assert (found["confidence"] == 0).all()


def test_a_text_given_twice_is_answered_twice_in_order(titles):
    found = match_labels(["soudeur", "fraiseur", "soudeur"], titles, top_k=1)
    assert found["query"].tolist() == ["soudeur", "fraiseur", "soudeur"]


def test_no_query_gives_an_empty_table(titles):
    assert match_labels([], titles).empty


def test_the_order_of_the_corpus_changes_nothing(titles):
    queries = ["régleur", "opératrice de fabrication", "ajusteur monteur"]
    one = match_labels(queries, titles)
    other = match_labels(queries, titles.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(
        one[["query", "code", "confidence"]], other[["query", "code", "confidence"]]
    )


def test_an_index_made_once_answers_as_the_corpus_does(titles):
    queries = ["fraiseur", "cariste"]
    direct, indexed = match_labels(queries, titles), match_labels(queries, build_index(titles))
    pd.testing.assert_frame_equal(direct, indexed)


def test_a_query_answers_the_same_alone_or_among_others(titles):
    alone = match_labels(["ajusteur"], titles)
    among = match_labels(["fraiseur", "ajusteur", "xyzzy"], titles)
    among = among[among["query"] == "ajusteur"].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, among, check_exact=False, rtol=1e-4)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=25), max_size=4))
def test_any_text_is_answered(queries):
    corpus = pd.DataFrame({"code": ["1", "2", "2"], "label": ["Soudeur", "Vendeur", "Vendeuse 2"]})
    found = match_labels(queries, corpus)
    assert set(found["query"]) == set(queries)
    assert found["confidence"].between(0, 1).all()


def test_bad_input_is_told_whole():
    corpus = pd.DataFrame({"code": ["1", "2", "3"], "label": ["Soudeur", " ", ""]})
    with pytest.raises(SchemaError, match=r"2 defects(.|\n)*row 1, column(.|\n)*row 2, column"):
        match_labels(["x"], corpus)
    with pytest.raises(SchemaError, match="no column `label`"):
        match_labels(["x"], pd.DataFrame({"code": ["1"]}))
    with pytest.raises(SchemaError, match="no label"):
        match_labels(["x"], corpus.head(0))
    with pytest.raises(SchemaError, match=r"queries\[0\]: of the wrong kind \(found: None\)"):
        match_labels([None], corpus.head(1))
    with pytest.raises(RangeError, match="top_k: out of range"):
        match_labels(["x"], corpus.head(1), top_k=0)


def test_a_producer_s_file_with_blank_codes_or_no_label_is_refused_whole(tmp_path):
    path = tmp_path / "esco.csv"
    path.write_text("conceptUri,preferredLabel\n,soudeur\n,vendeur\n", encoding="utf-8")
    with pytest.raises(DataError, match="empty cell") as caught:
        labels.read_labels(path)
    assert len(caught.value.defects) == 2
    path.write_bytes("conceptUri,preferredLabel\nx,Ingénieur|Élève\n".encode("cp1252"))
    assert labels.read_labels(path)["label"].tolist() == ["Ingénieur", "Élève"]
    path.write_text("conceptUri,preferredLabel\nx,\n", encoding="utf-8")
    with pytest.raises(DataError, match="no label"):
        labels.read_labels(path)


@needs_data
def test_what_ships_does_better_than_characters_on_official_pairs_and_is_calibrated():
    """What ships has learned from these pairs: a floor, not the cross-validated figure."""
    pytest.importorskip("sklearn", reason="scikit-learn, of the extra `bench`, is absent")
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        import matching
        import matching_peers
    finally:
        sys.path.pop(0)
    _, skills = matching.read_tasks(DATA)
    places = np.random.default_rng(0).choice(len(skills.queries), 300, replace=False)
    queries = [skills.queries[place] for place in places]
    right = [skills.right[place] for place in places]
    found = match_labels(queries, skills.corpus)
    position = (found["rank"] == 1).cumsum() - 1
    ours = [found.loc[position == place, "code"].tolist() for place in range(len(queries))]
    peer = matching_peers.all_ranked(skills.corpus, queries, np.array([0]))["char tf-idf"]
    assert matching.scores(ours, right)["MAP"] > 1.05 * matching.scores(peer, right)["MAP"]
    top = found[found["rank"] == 1]
    hits = np.array([code in codes for code, codes in zip(top["code"], right, strict=True)])
    assert matching.calibration_error(top["confidence"].to_numpy(), hits) <= 0.05


@needs_data
@pytest.mark.parametrize(
    ("file", "count"),
    [
        ("rome_v460/unix_referentiel_appellation_v460_utf8.csv", 13_000),
        ("rome_v460/unix_referentiel_savoir_v460_utf8.csv", 10_000),
        ("esco/occupations_fr.csv", 16_000),
        ("esco/skills_fr_labels.csv", 16_000),
    ],
)
def test_the_producers_files_are_recognised(file, count):
    found = labels.read_labels(DATA / file)
    assert found.columns.tolist() == ["code", "label"]
    assert len(found) > count
    assert (found["label"].str.strip() != "").all()
