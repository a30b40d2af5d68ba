"""Tune linear-learner from within a job: start a tuning job, wait for it, copy the best model."""

import argparse
import json
import os
import time

import boto3

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--region")
    parser.add_argument("--role")
    parser.add_argument("--image")
    parser.add_argument("--train")
    parser.add_argument("--output")
    parser.add_argument("--name")
    args = parser.parse_args()
    sm = boto3.client("sagemaker", region_name=args.region)

    def channel(name):
        return {
            "ChannelName": name,
            "ContentType": "text/csv",
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": "S3Prefix",
                    "S3Uri": f"{args.train}/{name}",
                    "S3DataDistributionType": "FullyReplicated",
                }
            },
        }

    sm.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=args.name,
        HyperParameterTuningJobConfig={
            "Strategy": "Grid",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:rmse"},
            "ResourceLimits": {"MaxParallelTrainingJobs": 2},
            "ParameterRanges": {"CategoricalParameterRanges": [{"Name": "max_depth", "Values": ["1", "4"]}]},
        },
        TrainingJobDefinition={
            "StaticHyperParameters": {"objective": "reg:squarederror", "num_round": "20"},
            "AlgorithmSpecification": {"TrainingImage": args.image, "TrainingInputMode": "File"},
            "RoleArn": args.role,
            "InputDataConfig": [channel("train"), channel("validation")],
            "OutputDataConfig": {"S3OutputPath": args.output},
            "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        },
    )
    while True:
        described = sm.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=args.name)
        print(described["HyperParameterTuningJobStatus"], described["TrainingJobStatusCounters"])
        if described["HyperParameterTuningJobStatus"] in ("Completed", "Failed", "Stopped"):
            break
        time.sleep(1)
    best = described["BestTrainingJob"]
    training = sm.describe_training_job(TrainingJobName=best["TrainingJobName"])
    bucket, _, key = training["ModelArtifacts"]["S3ModelArtifacts"].replace("s3://", "").partition("/")

    os.makedirs("/opt/ml/processing/best", exist_ok=True)
    boto3.client("s3", region_name=args.region).download_file(bucket, key, "/opt/ml/processing/best/model.tar.gz")
    with open("/opt/ml/processing/best/best.json", "w") as f:
        json.dump(
            {
                "best": {
                    "job": best["TrainingJobName"],
                    "max_depth": best["TunedHyperParameters"]["max_depth"],
                    "rmse": best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"],
                },
                "who": boto3.client("sts", region_name=args.region).get_caller_identity()["Arn"],
            },
            f,
        )
