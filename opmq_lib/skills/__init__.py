"""Skills: gaps, emergence, certifications, and words that match.

`gap` measures needed against available people, `emerging` what rises beyond noise,
`certifications` what a branch's portfolio covers, `matching` finds the code of a free text, and
`review` keeps what a person decided about doubtful matches.
"""
