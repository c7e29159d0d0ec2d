"""Every free choice of the forecasting engine, in one place.

The grid of models is in `grid.py`. What was tried, on which data each choice was made and how it
does on data that it has not seen is in `docs/decisions/forecasting-engine.md`.
"""

from dataclasses import dataclass

T_MAX = 60
"""Only a series' last 60 years are used: older ones say nothing about the next six."""

MIN_TRAINING_YEARS = 6
"""A rolling origin keeps a series only if this many years precede it."""

MIN_CALIBRATION_SERIES = 19
"""Fewest series at an origin: a 95 % conformal interval needs 19 errors."""

MAX_LEARNING_SERIES = 1500
"""The panel's lessons are drawn from at most this many series."""

TRUST_HALF = 30
"""Series at which half of the trust is given: few series say little."""

INDEPENDENT_HALF = 40
"""Independent errors at which half of the width is learnt, half is the default."""

SMALL_COUNT_MEAN = 100
"""Series of whole units that average fewer than this are small counts: sampling noise rules."""

MIN_COUNT_SERIES = 100
"""Small counts are learnt apart where there are this many, or where they are most of the panel."""


DEFAULT_VOLATILITY = -2.5
"""log of rms/z_T where no series moves: about 8 % of √y, or 16 % of y, a year."""


@dataclass(frozen=True)
class Settings:
    """The engine's constants; the defaults serve every panel.

    Attributes:
        shares: Weights of the families before the panel speaks, in the order of `grid.FAMILIES`.
        shares_counts: The same for small counts, where trends are seldom seen through the noise.
        floor: Added to the mean squared residual, in mean squared differences: a perfect fit on
            eight points is not believed.
        trust: How fast weights decay with the panel's relative loss, inside a family and between
            families, for ordinary series.
        trust_counts: The same for small counts, whose errors are nearly independent.
        growth_share: Share of the panel's median growth to which trends are shrunk (0: to none).
        median_steps: Steps of Weiszfeld's iteration from the mean to the median.
        prior_years: Years of an ordinary series that the variance prior is worth.
        prior_variance: That prior's one-step variance, in mean squared differences.
        between_weight: Weight of the models' disagreement in the forecast variance.
        volatility_pooling: Exponent that draws a series' volatility towards the panel's.
        length_correction: Years, in horizons, by which today's series are worth more than at a
            rolling origin.
        shape_prior: Errors that the default shape of the error distribution is worth.
    """

    shares: tuple[float, ...] = (0.15, 0.22, 0.22, 0.18, 0.23)
    shares_counts: tuple[float, ...] = (0.05, 0.35, 0.35, 0.05, 0.20)
    floor: float = 0.01
    trust: tuple[float, float] = (5.0, 25.0)
    trust_counts: tuple[float, float] = (60.0, 5.0)
    growth_share: float = 0.25
    median_steps: int = 3
    prior_years: float = 5.0
    prior_variance: float = 0.75
    between_weight: float = 2.0
    volatility_pooling: float = 0.15
    length_correction: float = 0.1
    shape_prior: float = 300.0


DEFAULT = Settings()
