"""Impute, scale and one-hot encode the raw rows; split them into train, validation and test."""

import argparse
import os
import subprocess
import sys

subprocess.check_call([sys.executable, "-m", "pip", "install", "--quiet", "tabulate==0.9.0"])

import boto3  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from sklearn.compose import ColumnTransformer  # noqa: E402
from sklearn.impute import SimpleImputer  # noqa: E402
from sklearn.pipeline import Pipeline  # noqa: E402
from sklearn.preprocessing import OneHotEncoder, StandardScaler  # noqa: E402
from tabulate import tabulate  # noqa: E402

NAMES = ["sex", "length", "diameter", "height", "whole_weight", "rings"]

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--input-data", type=str, required=True)
    args = parser.parse_args()

    base_dir = "/opt/ml/processing"
    os.makedirs(f"{base_dir}/data", exist_ok=True)
    bucket, key = args.input_data.replace("s3://", "").split("/", 1)
    fn = f"{base_dir}/data/abalone.csv"
    boto3.resource("s3").Bucket(bucket).download_file(key, fn)

    df = pd.read_csv(fn, header=None, names=NAMES)
    os.unlink(fn)
    print(tabulate(df.describe(), headers="keys"))

    numeric = [name for name in NAMES if name not in ("sex", "rings")]
    preprocess = ColumnTransformer(
        [
            ("num", Pipeline([("imputer", SimpleImputer(strategy="median")), ("scaler", StandardScaler())]), numeric),
            ("cat", OneHotEncoder(handle_unknown="ignore"), ["sex"]),
        ]
    )
    y = df.pop("rings").to_numpy().reshape(-1, 1)
    X = np.concatenate((y, preprocess.fit_transform(df)), axis=1)
    np.random.seed(3)
    np.random.shuffle(X)
    train, validation, test = np.split(X, [int(0.7 * len(X)), int(0.85 * len(X))])
    for name, rows in (("train", train), ("validation", validation), ("test", test)):
        pd.DataFrame(rows).to_csv(f"{base_dir}/{name}/{name}.csv", header=False, index=False)
    pd.DataFrame(test[:, 1:]).to_csv(f"{base_dir}/batch/batch.csv", header=False, index=False)
