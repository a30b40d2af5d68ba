import argparse
import glob
import os

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--test-size", type=float, default=0.2)
    args, _ = parser.parse_known_args()
    files = glob.glob("/opt/ml/processing/input/*.csv")
    df = pd.concat([pd.read_csv(file) for file in sorted(files)])
    df["sex"] = df["sex"].map({"female": 0, "male": 1})
    df["age"] = df["age"].fillna(df["age"].mean())
    train, test = train_test_split(df, test_size=args.test_size, random_state=42)
    for name, part in (("train", train), ("test", test)):
        os.makedirs(f"/opt/ml/processing/{name}", exist_ok=True)
        part.to_csv(os.path.join("/opt/ml/processing", name, f"{name}.csv"), index=False)
    np.savetxt("/opt/ml/processing/batch/batch.csv", test.drop(columns="survived").to_numpy(), delimiter=",")
