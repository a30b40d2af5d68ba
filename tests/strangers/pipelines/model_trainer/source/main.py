import argparse
import json
import os

from sub.fit import fit, save

parser = argparse.ArgumentParser()
parser.add_argument("--power", type=int, default=1)
parser.add_argument("--note", default="")
parser.add_argument("--model-dir", default=os.environ.get("SM_MODEL_DIR", "/opt/ml/model"))
args = parser.parse_args()

with open("/opt/ml/input/config/resourceconfig.json") as file:
    host = json.load(file)["current_host"]
mean = fit("/opt/ml/input/data/train", args.power)
print(f"mean={mean:.6f}; host {host} in {os.getcwd()}")
save(args.model_dir, mean=mean, power=args.power, note=args.note, stage=os.environ["STAGE"])
with open(os.path.join(os.environ["SM_OUTPUT_DATA_DIR"], "hyperparameters.json"), "w") as file:
    file.write(os.environ["SM_HPS"])
