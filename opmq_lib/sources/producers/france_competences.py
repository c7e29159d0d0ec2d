"""France compétences' export of the registers (RNCP, RS): a zip of CSV files."""

import hashlib
from typing import Final

from opmq_lib.sources import rncp
from opmq_lib.sources.loading import UNSTATED, Loaded, Paths, Producer, kept
from opmq_lib.sources.reading import Read

PRODUCER: Final = Producer(
    "rncp",
    "France compétences",
    "Répertoires nationaux (RNCP et RS), export CSV",
    UNSTATED,
    "https://www.data.gouv.fr/fr/datasets/"
    "repertoire-national-des-certifications-professionnelles-et-repertoire-specifique/",
    {"export": "**/export-fiches-csv-*.zip"},
    ("rncp_fiches", "rncp_blocs"),
)


def load(paths: Paths) -> Loaded:
    """Return `rncp_fiches` and `rncp_blocs`.

    Args:
        paths: `export`, the zip.
    """
    path = paths["export"]
    register = rncp.read_export(path)
    found = Read(register["fiches"], path.name, hashlib.sha256(path.read_bytes()).hexdigest())
    edition = path.stem.removeprefix("export-fiches-csv-")
    return {
        f"rncp_{name}": kept(register[name], found, PRODUCER, edition=edition)
        for name in ("fiches", "blocs")
    }
