"""Effects of changes of a short sequence, one letter of which is N."""

import numpy as np

SEQUENCE = "GATNC"
EFFECTS = np.array(
    [[1, 0, -2, np.nan, 0.1], [2, 3, -1, np.nan, 0], [0, -4, -0.1, np.nan, 0.2], [0.5, 0, 0, np.nan, 0]]
)
