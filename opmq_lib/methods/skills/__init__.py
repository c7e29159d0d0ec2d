"""Skills: what métiers ask for, gaps, emergence, certifications and the blocs that cover them.

`profiles` says what métiers ask for, `gap` measures needed against available people (S1),
`certifications` and `blocs` what a branch's portfolio covers (S2), `emerging` what rises beyond
noise (S3), `evolution` what differs between two versions of the ROME and what moves ask to learn.
Two modules match words, so that only who names them reads `opmq_lib.matching`:
`occupations`, what nothing known explains, and `review`, what a person answers to proposals.
"""
