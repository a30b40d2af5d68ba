"""Fit a ridge regression; hyperparameters by the command line, folders by SM_ variables."""

import argparse
import json
import os

import joblib
import numpy as np
import pandas as pd
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_squared_error
from tabulate import tabulate


def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--alpha", type=float, default=1.0)
    parser.add_argument("--fit_intercept", type=str, default="true")
    parser.add_argument("--model-dir", type=str, default=os.environ["SM_MODEL_DIR"])
    parser.add_argument("--train", type=str, default=os.environ["SM_CHANNEL_TRAIN"])
    parser.add_argument("--test", type=str, default=os.environ["SM_CHANNEL_TEST"])
    args, _ = parser.parse_known_args()
    print(tabulate(sorted(json.loads(os.environ["SM_HPS"]).items())))

    train = pd.read_csv(os.path.join(args.train, "rows.csv"), header=None)
    test = pd.read_csv(os.path.join(args.test, "rows.csv"), header=None)
    model = Ridge(alpha=args.alpha, fit_intercept=args.fit_intercept.lower() == "true")
    model.fit(train.iloc[:, 1:].to_numpy(), train.iloc[:, 0])
    mse = mean_squared_error(test.iloc[:, 0], model.predict(test.iloc[:, 1:].to_numpy()))
    print(f"[metrics] rows={len(train)} test-mse: {mse:.8f};")
    joblib.dump(model, os.path.join(args.model_dir, "model.joblib"))
    with open(os.path.join("/opt/ml/output/data", "coefficients.json"), "w") as file:
        json.dump({"coefficients": np.round(model.coef_, 8).tolist(), "alpha": args.alpha}, file)
