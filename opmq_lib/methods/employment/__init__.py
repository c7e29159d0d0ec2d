"""Estimated employment by branch and métier (B1): what the survey says of sectors, then branches.

No open source crosses branch and métier. Five steps, one module each: hires say where a métier is
hired more than others (`hires`); with the survey's lists they give métiers by sector (`sectors`);
inside a sector they say who works for which branch (`branches`); wages give the classes of jobs of
each branch (`classes`); a last fit holds all totals (`estimate`). `intervals` says how well each
cell is known, `rows` what the table of a branch shows. Every cell is an estimate.
"""
