import os
from io import StringIO

import joblib
import numpy as np


def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))


def input_fn(request_body, request_content_type):
    if request_content_type != "text/csv":
        raise ValueError(f"{request_content_type} is not supported")
    return np.loadtxt(StringIO(request_body), delimiter=",", ndmin=2)


def predict_fn(input_data, model):
    return model.predict_proba(input_data)[:, 1]


def output_fn(prediction, accept):
    return "\n".join(f"{value:.6f}" for value in prediction) + "\n", "text/csv"
