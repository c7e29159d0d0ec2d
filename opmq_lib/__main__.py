"""`python -m opmq_lib` is `opmq`."""

from opmq_lib.cli import main

main()
