"""Demonstrate the registers: an edition on fictitious registers, kept apart.

It lives in `outputs/demo` and its site in `outputs/demo-site`; nothing of it can enter
`outputs/site`, which only takes what is public. Runs that do not depend on the registers are those
of the true edition: they are copied, not made again.
"""

from collections.abc import Sequence
from pathlib import Path

from opmq_lib.methods import notes, works
from opmq_lib.methods.requests import denominators, fictitious, measures, recommendations
from opmq_lib.params import DEMO, EditionParams, Registers
from opmq_lib.runs import fingerprint, folders, freshness
from opmq_lib.runs.plan import Run
from opmq_lib.show import downloads
from opmq_lib.sources import embedded, ledger, table_files

FOLDER = f"outputs/{DEMO}/registers"
REQUESTS_COUNT = 40_000


def prepare(
    root: Path, edition: EditionParams, requests_count: int = REQUESTS_COUNT
) -> EditionParams:
    """Write the fictitious registers and return the edition that rests on them.

    The recommendations are those that the review of the year before would have given, with
    decisions drawn at random.

    Args:
        root: The project.
        edition: The true edition; only its registers and its name change.
        requests_count: Requests drawn.
    """
    branches = sorted(embedded.load("branches")["branch_code"])
    nomenclature = table_files.read_convention("request_topics", root)
    topics = nomenclature.loc[nomenclature["parent_topic_code"] == "", "topic_code"].tolist()
    firms = denominators.firms(embedded.load("branch_headcount"))
    day = edition.edition_date
    before = day.replace(year=day.year - 1)
    register = fictitious.generate(requests_count, firms, branches, topics, day).register
    past = register[register["requested_on"] <= before.isoformat()]
    proposed = recommendations.candidates(measures.review(past, firms, branches, before), before)
    paths = {name: f"{FOLDER}/{name}.{ending}" for name, ending in
             (("requests", "parquet"), ("recommendations", "csv"), ("notes", "csv"),
              ("works", "csv"))}  # fmt: skip
    downloads.write_table(register, root / paths["requests"])
    downloads.write_table(fictitious.decided(proposed), root / paths["recommendations"])
    downloads.write_table(notes.invented(branches, day), root / paths["notes"])
    asked_on = day.replace(year=day.year - 2)
    downloads.write_table(works.invented(branches, asked_on, day), root / paths["works"])
    return edition.model_copy(
        update={"edition_id": DEMO, "registers": Registers(**paths), "previous_edition_id": None}
    )


def adopt(runs: Sequence[Run], root: Path, edition: EditionParams) -> int:
    """Copy the results of the true edition that the demonstration would only make again.

    A result is taken where the recorded run is made of exactly the same things and nothing of it
    has changed on disk.

    Args:
        runs: Runs of the demonstration, in order.
        root: The project.
        edition: The true edition.

    Returns:
        How many runs were taken over.
    """
    true_folder = root / "outputs" / edition.edition_id
    true_records = ledger.latest(true_folder / ledger.LEDGER, "ok")
    taken = 0
    for run in runs:
        demo_ledger = run.edition_folder / ledger.LEDGER
        records = ledger.latest(demo_ledger)
        record = true_records.get(run.id)
        status = freshness.state(run, records).status
        if record is None or status in ("blocked", "up to date"):
            continue
        same = fingerprint.key(freshness.made_of(run, records, record["inputs"])) == record["key"]
        source = true_folder / run.branch_code / run.notebook
        damages = fingerprint.damages(record["outputs"], source, run.files.hashes.sha256)
        if not same or any(damages):
            continue
        staging = folders.stage(run.edition_folder, run.branch_code, run.notebook)
        for name in record["outputs"]:
            folders.write(staging / name, (source / name).read_bytes())
        folders.publish(staging, run.folder, private=record["origin"] == "own")
        ledger.append(demo_ledger, {**record, "edition_id": DEMO})
        taken += 1
    return taken
