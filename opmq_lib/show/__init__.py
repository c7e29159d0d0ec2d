"""What a reader sees: numbers, typography, figures, downloads; `frame(table)` shows any table."""

from opmq_lib.show.frames import frame

__all__ = ["frame"]
