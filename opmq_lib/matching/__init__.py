"""Free French titles and skills to the codes of any list of labels, with a calibrated confidence.

Read `match` for what is returned, `text` for how words are compared, `index` for a list of labels,
`queries` and `candidates` for how its labels are searched, `pairs` for what is measured on a
pair, `knowledge` for how measures become a confidence. This room imports errors alone.
"""

from opmq_lib.matching.index import build_index
from opmq_lib.matching.match import match_labels

__all__ = ["build_index", "match_labels"]
