"""How a frozen edition describes itself: RO-Crate metadata and a citation file.

Source: RO-Crate 1.2 (root data entity, data entities); Citation File Format 1.2.0.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

_CRATE: Final = "https://w3id.org/ro/crate/1.2"
NAME: Final = "ro-crate-metadata.json"
CITATION: Final = "CITATION.cff"
_NO_LICENCE: Final = (
    "Licence des textes, figures et tables calculées : nd, à choisir par l’éditeur. "
    "Les données des producteurs gardent la leur (library/opmq_lib/data/sources.csv). Code : MIT."
)
_KINDS: Final = {
    ".csv": "text/csv",
    ".ipynb": "application/x-ipynb+json",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".jsonl": "application/jsonl",
    ".yml": "application/yaml",
}


def metadata(about: Mapping[str, Any], sizes: Mapping[str, int], sums: Mapping[str, str]) -> bytes:
    """Return the RO-Crate metadata of an edition: its results, parameters, ledger and software.

    Args:
        about: `manifest.json` without its files.
        sizes: Bytes of each file to describe.
        sums: sha256 of each file.
    """
    files = [
        {
            "@id": name,
            "@type": "File",
            "name": name.rpartition("/")[2],
            "contentSize": str(size),
            "encodingFormat": next(
                (kind for ending, kind in _KINDS.items() if name.endswith(ending)), "text/plain"
            ),
            "sha256": sums[name],
        }
        for name, size in sorted(sizes.items())
    ]
    software = {
        "@id": "library/",
        "@type": ["Dataset", "SoftwareSourceCode"],
        "name": "opmq_lib",
        "version": about["library_sha256"],
        "programmingLanguage": f"Python {about['versions'].get('python', '')}",
    }
    site = {"@id": "site/", "@type": "Dataset", "name": "Site, pages HTML"}
    licence = {"@id": "#licence", "@type": "CreativeWork", "name": _NO_LICENCE}
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": f"{about['title']}, édition {about['name']}",
        "description": "Tables de résultats, notebooks exécutés, site, paramètres et code d’une "
        f"édition ({'publiée' if about['is_release'] else 'aperçu, non validé'}).",
        "datePublished": about["edition_date"],
        "license": {"@id": "#licence"},
        "hasPart": [{"@id": each["@id"]} for each in (*files, software, site)],
    }
    descriptor = {
        "@id": NAME,
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": {"@id": _CRATE},
    }
    graph = [descriptor, root, *files, software, site, licence]
    return as_json({"@context": f"{_CRATE}/context", "@graph": graph})


def citation(about: Mapping[str, Any]) -> bytes:
    """Return the citation file of an edition; who publishes it is not known."""
    lines = [
        "cff-version: 1.2.0",
        'message: "Pour citer cette édition, indiquez son nom et l’empreinte de son archive."',
        "type: dataset",
        f"title: {json.dumps(about['title'], ensure_ascii=False)}",
        f"version: {json.dumps(about['name'], ensure_ascii=False)}",
        f"date-released: {about['edition_date']}",
        "authors:",
        '  - name: "Éditeur non indiqué (nd)"',
        "",
    ]
    return "\n".join(lines).encode()


def as_json(value: object) -> bytes:
    """Return a value as the text of a JSON file, the same each time."""
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()
