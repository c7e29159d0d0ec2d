"""Tools of a prospective observatory of jobs and qualifications (OPMQ)."""

__version__ = "0.1.0"
