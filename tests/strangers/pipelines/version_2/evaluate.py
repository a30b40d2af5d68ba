import json
import os
import tarfile

import joblib
import pandas as pd
from sklearn.metrics import accuracy_score, roc_auc_score

if __name__ == "__main__":
    tarfile.open("/opt/ml/processing/model/model.tar.gz").extractall()
    model = joblib.load("model.joblib")
    test = pd.read_csv("/opt/ml/processing/test/test.csv")
    y, X = test.pop("survived").to_numpy(), test.to_numpy()
    report = {
        "binary_classification_metrics": {
            "accuracy": {"value": accuracy_score(y, model.predict(X)), "standard_deviation": "NaN"},
            "auc": {"value": roc_auc_score(y, model.predict_proba(X)[:, 1]), "standard_deviation": "NaN"},
        }
    }
    os.makedirs("/opt/ml/processing/evaluation", exist_ok=True)
    with open("/opt/ml/processing/evaluation/evaluation.json", "w") as file:
        json.dump(report, file)
