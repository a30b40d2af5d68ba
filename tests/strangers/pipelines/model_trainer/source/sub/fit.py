import json
import os


def fit(channel, power):
    """Return the constant that fits the rows best: the mean of the labels to a power."""
    labels = []
    for name in sorted(os.listdir(channel)):
        with open(os.path.join(channel, name)) as file:
            labels += [float(line.split(",")[0]) ** power for line in file if line.strip()]
    return sum(labels) / len(labels)


def save(folder, **model):
    with open(os.path.join(folder, "model.json"), "w") as file:
        json.dump(model, file)
