import argparse
import os

import joblib
import pandas as pd
from features import split
from sklearn.ensemble import RandomForestClassifier

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--n-estimators", type=int, default=10)
    parser.add_argument("--max_depth", type=int)
    parser.add_argument("--output-data-dir", type=str, default=os.environ.get("SM_OUTPUT_DATA_DIR"))
    parser.add_argument("--model-dir", type=str, default=os.environ.get("SM_MODEL_DIR"))
    parser.add_argument("--train", type=str, default=os.environ.get("SM_CHANNEL_TRAIN"))
    args = parser.parse_args()

    X, y = split(pd.read_csv(os.path.join(args.train, "train.csv")))
    model = RandomForestClassifier(n_estimators=args.n_estimators, max_depth=args.max_depth, random_state=0)
    model.fit(X, y)
    print(f"train_accuracy: {model.score(X, y):.4f};")
    joblib.dump(model, os.path.join(args.model_dir, "model.joblib"))
