"""Studio: pages on this machine that show an AWS account's pipelines. It calls AWS with boto3 and nothing else."""
