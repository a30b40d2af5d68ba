import glob
import json
import os


def lines(folder):
    found = []
    for name in sorted(glob.glob(f"/opt/ml/processing/{folder}/*")):
        with open(name) as file:
            found += [line for line in file if line.strip()]
    return found


labels = [int(line.split(",")[0]) for line in lines("labels")]
predicted = {
    "boosted": [int(float(line) > 0.5) for line in lines("boosted")],
    "linear": [each["predicted_label"] for line in lines("linear") for each in json.loads(line)["predictions"]],
}
comparison = {}
for name, classes in predicted.items():
    assert len(classes) == len(labels), (name, len(classes))
    comparison[name] = {"accuracy": sum(a == b for a, b in zip(labels, classes)) / len(labels)}
os.makedirs("/opt/ml/processing/comparison", exist_ok=True)
with open("/opt/ml/processing/comparison/comparison.json", "w") as file:
    json.dump(comparison, file)
print(comparison)
