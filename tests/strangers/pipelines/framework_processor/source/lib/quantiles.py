import numpy as np


def quartiles(values):
    return [float(value) for value in np.quantile(values, [0.25, 0.5, 0.75])]
