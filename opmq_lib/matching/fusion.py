"""From measures on pairs to the probability that the code is the right one."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from opmq_lib.matching.learned import Knowledge


def confidence(measures: pd.DataFrame, known: Knowledge) -> NDArray[np.float64]:
    """Return the probability that each pair is right, between 0 and 1.

    A network with one hidden layer (rectified), learned on official mappings by pointwise
    logistic loss, so that its output is a frequency and not only an order.
    """
    values = measures.to_numpy(dtype="float32")
    for weights, bias in known.layers[:-1]:
        values = np.maximum(values @ weights + bias, 0)
    weights, bias = known.layers[-1]
    scores = np.clip((values @ weights + bias).ravel().astype("float64"), -30, 30)
    return np.asarray(1 / (1 + np.exp(-scores)))
