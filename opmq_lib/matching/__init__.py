"""Free French titles and skills to the codes of any list of labels, with a calibrated confidence.

Read `api` for what is returned, `text` for how words are compared, `index` and `candidates` for
what is measured on a pair, `fusion` for how measures become a confidence.
"""

from opmq_lib.matching.api import EMPTY, RESULT_COLUMNS, match_labels
from opmq_lib.matching.index import Index, build_index, cached_index

__all__ = ["EMPTY", "RESULT_COLUMNS", "Index", "build_index", "cached_index", "match_labels"]
