"""Skills: gaps, emergence, certifications, and words that match.

`gap` measures needed against available people, `emerging` what rises beyond noise and what nothing
known explains, `certifications` what a branch's portfolio covers, `blocs` what a person read in the
blocs of the register, `matching` finds the code of a free text, and `review` keeps what a person
decided about doubtful matches.
"""
