"""`python -m opmq_lib` is `opmq`."""

from opmq_lib.cli import main

if __name__ == "__main__":  # a zygote imports what a notebook may reach
    main()
