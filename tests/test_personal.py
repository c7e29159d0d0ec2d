"""Personal data in free texts: what is found, and what is not taken for it."""

import time

import pandas as pd
import pytest

from opmq_lib.tables import personal

PHONES = [
    "06 12 34 56 78", "06.12.34.56.78", "06-12-34-56-78", "06/12/34/56/78", "0612345678",
    "+33 6 12 34 56 78", "+33612345678", "+33 (0)6 12 34 56 78", "0033 6 12 34 56 78",
    "00 33 6 12 34 56 78", "06\u00a012\u00a034\u00a056\u00a078",
    "06\u202f12\u202f34\u202f56\u202f78",
    "\uff10\uff16 \uff11\uff12 \uff13\uff14 \uff15\uff16 \uff17\uff18", "(06) 12 34 56 78",
    "(+33) 6 12 34 56 78", "+33-6-12-34-56-78", "06 \u2013 12 \u2013 34 \u2013 56 \u2013 78",
    "06_12_34_56_78", "06,12,34,56,78", "0612 345 678", "06 123 456 78", "O6 12 34 56 78",
    "06 12 34\u200b 56 78", "+32 475 12 34 56", "33 6 12 34 56 78", "6 12 34 56 78",
    "tel:+33612345678", "06 1234 5678", "+41 79 123 45 67", "01 42 00 00 00",
    "zéro six douze trente-quatre cinquante-six soixante-dix-huit", "06 . 12 . 34 . 56 . 78",
    "06\u201112\u201134\u201156\u201178", "+33.6.12.34.56.78", "06 · 12 · 34 · 56 · 78",
    "06;12;34;56;78", "06|12|34|56|78", "06:12:34:56:78", "06*12*34*56*78", "06=12=34=56=78",
    "06 1 2 3 4 5 6 7 8", "0612 34 56 78", "06 12 34 5678", "06 12345678", "06.1234.5678",
    "0 800 123 456", "06\u221212\u221234\u221256\u221278", "06~12~34~56~78", "06'12'34'56'78",
    '06"12"34"56"78', "06+12+34+56+78", "06\\12\\34\\56\\78", "06→12→34→56→78",
    "06 (12) 34 56 78", "(01) 42000000", "06 12 345 678", "061 234 5678", "061-234-56-78",
    "0612.34.56.78", "0612-34-56-78", "0 6 1 2 3 4 5 6 7 8", "0.6.1.2.3.4.5.6.7.8",
    "0-6-1-2-3-4-5-6-7-8", "0 805 12 34 56", "33(0)6 12 34 56 78", "(33) 6 12 34 56 78",
    "zero six douze trente quatre cinquante six soixante dix huit",
]  # fmt: skip
MAILS = [
    "jeanne.martin@exemple.fr", "jeanne.martin @ exemple.fr", "jeanne.martin [at] exemple.fr",
    "jeanne.martin (at) exemple (dot) fr", "jeanne.martin at exemple dot fr",
    "jeanne.martin arobase exemple point fr", "jeanne.martin(arobase)exemple(point)fr",
    "jeanne.martin\uff20exemple\uff0efr", "jeanne.martin\u00a0@\u00a0exemple.fr",
    "hélène.martin@exemple.fr", "jeanne.martin@exemple . fr", "jeanne.martin{at}exemple.fr",
    "jeanne.martin « arobase » exemple.fr", "jeanne.martin -at- exemple.fr", "jm_at_exemple.fr",
    "jeanne.martin(a)exemple.fr", "jeanne.martin@@exemple.fr", "jeanne.martin@\u00a0exemple.fr",
    "jeanne.martin arobas exemple.fr", "jm/at/exemple/dot/fr", "jm%40exemple.fr", '"jm"@exemple.fr',
    "jeanne.martin[@]exemple[.]fr", "jeanne.martin&#64;exemple.fr", "jmartin@intranet",
    "jeanne.martin at exemple.fr", "jeanne.martin|at|exemple.fr", "jeanne.martin ~at~ exemple.fr",
    "jeanne.martin #at# exemple.fr", "jeanne.martin arrobase exemple.fr",
    "jeanne.martin ARROBAS exemple.fr", "jeanne.martin(chez)exemple.fr", "jm⟨at⟩exemple.fr",
]  # fmt: skip
NAMES = [
    "M. Durand", "Mme Durand", "MME DURAND", "Mlle Durand", "mme durand", "Mr Durand",
    "mr. durand", "Monsieur Durand", "Madame\u00a0Durand", "Dr Durand", "M.\u202fDurand",
    "M Durand", "Jean Dupont", "Jean-Pierre Lefèvre", "DUPONT Marie", "Dupont, Marie",
    "MARIE DUPONT", "marie DUPONT", "J. Dupont", "J.-P. Martin", "Aïcha Benali", "Lucie Petit",
    "M. de La Tour", "M. d'Ormesson", "Jean le Goff", "Nathalie van den Berg", "Me Durand",
    "Docteur Durand", "M.Durand", "Jean-Dupont",
    "Maître Durand", "Marie D.", "P.DURAND", "\uff2d\uff4d\uff45 Durand",
]  # fmt: skip
PLAIN = [
    "machine 3 à Paris", "12 m de câble", "EDF Lyon", "M 12", "norme MM 3", "délai 06/12",
    "Formation à M+3", "drainage", "atelier de 12 (at 3)", "CAP Chaudronnerie",
    "livré le 01/02/2023 10 h", "budget 12 500 000 euros", "+12 500 000 euros",
    "du 01/02/2023 au 03/04/2024", "SIREN absent", "lot 0123-4567", "IDCC 00044, 01256",
    "3 postes sur 4 points", "ISO 9001:2015, EN 1090-2", "norme NF C 18-510",
    "1234567890 unités", "PC 0012 34", "CQP Pilote d’équipement", "Marine nationale",
    "pierre naturelle", "note claire et courte", "Le 05.06.2024 à 10.30", "R. & D. externalisée",
    "C. du travail", "CPNEFP de la chimie", "région AURA, BTS CRSA", "0,5 ETP pour 12 mois",
    "offre 2023 10 11 12 13", "groupe de 12 @ 3 sites", "Formation Excel, niveau B2",
    "Me contacter par le site", "le point sur le réseau", "un atelier à Louis-le-Grand ?",
    "option (a) prévue. Oui", "Me former à Excel", "M de long", "Pierre de taille",
    "20 10 2024 15 30 00", "EUR 06 120 340", "le 05/06/2024, 12 places", "03 06 09 12 mois",
    "0,12 - 0,34 - 0,56", "01.02.2023-03.04.2024", "chat at 3 niveaux", "lots 01 à 05, 12, 15",
    "012-345 pièces", "réf. 045 120 301", "33 (0) agents sur 12",
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "forms"),
    [("a phone number", PHONES), ("an e-mail address", MAILS), ("a person's name", NAMES)],
)
def test_every_form_is_found_within_a_sentence(kind: str, forms: list[str]) -> None:
    said = [f"contact : {form} (atelier)" for form in forms]
    assert [text for text in said if kind not in personal.kinds(pd.Series([text]))] == []
    assert personal.rows(pd.Series(said)).all()


def test_what_companies_write_otherwise_is_nobody_s() -> None:
    assert [text for text in PLAIN if personal.kinds(pd.Series([text]))] == []


@pytest.mark.parametrize(
    "text", ["a" * 60_000, "A-" * 30_000, "0 " * 30_000, "M. " + "de " * 20_000]
)
def test_a_text_without_end_is_searched_in_time(text: str) -> None:
    before = time.process_time()
    personal.kinds(pd.Series([text]))
    assert time.process_time() - before < 2
