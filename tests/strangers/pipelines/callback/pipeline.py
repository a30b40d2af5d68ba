"""A Lambda step starts a conversation, a Callback step waits for an answer by SQS, a Lambda step sums up."""

import json
import os

import boto3
from sagemaker.core.lambda_helper import Lambda
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.parameters import ParameterBoolean, ParameterFloat, ParameterInteger
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.callback_step import CallbackOutput, CallbackOutputTypeEnum, CallbackStep
from sagemaker.mlops.workflow.lambda_step import LambdaOutput, LambdaOutputTypeEnum, LambdaStep
from sagemaker.mlops.workflow.pipeline import Pipeline

HERE = os.path.dirname(os.path.abspath(__file__))
role = os.environ["SAGEMAKER_ROLE"]
session = PipelineSession()
queue = boto3.client("sqs").create_queue(QueueName="pipeline-callbacks")["QueueUrl"]
count = ParameterInteger(name="Count", default_value=3)
rate = ParameterFloat(name="Rate", default_value=0.5)
strict = ParameterBoolean(name="Strict", default_value=False)


def function(name):
    return Lambda(
        function_name=f"stranger-{name}",
        execution_role_arn=role,
        script=os.path.join(HERE, f"{name}.py"),
        handler=f"{name}.lambda_handler",
        timeout=60,
        memory_size=128,
        runtime="python3.12",
        environment={"Variables": {"STAGE": "test"}},
        session=session,
    )


ask = LambdaStep(
    name="Ask",
    lambda_func=function("ask"),
    inputs={"count": count, "rate": rate, "strict": strict, "execution": ExecutionVariables.PIPELINE_EXECUTION_ID},
    outputs=[
        LambdaOutput(output_name="statusCode", output_type=LambdaOutputTypeEnum.String),
        LambdaOutput(output_name="question", output_type=LambdaOutputTypeEnum.String),
        LambdaOutput(output_name="total", output_type=LambdaOutputTypeEnum.Float),
        LambdaOutput(output_name="strict", output_type=LambdaOutputTypeEnum.Boolean),
    ],
)
wait = CallbackStep(
    name="WaitForAnswer",
    sqs_queue_url=queue,
    inputs={"question": ask.properties.Outputs["question"], "total": ask.properties.Outputs["total"]},
    outputs=[
        CallbackOutput(output_name="answer", output_type=CallbackOutputTypeEnum.String),
        CallbackOutput(output_name="votes", output_type=CallbackOutputTypeEnum.Integer),
    ],
)
conclude = LambdaStep(
    name="Conclude",
    lambda_func=function("conclude"),
    inputs={
        "answer": wait.properties.Outputs["answer"],
        "votes": wait.properties.Outputs["votes"],
        "status": ask.properties.Outputs["statusCode"],
        "strict": ask.properties.Outputs["strict"],
    },
    outputs=[LambdaOutput(output_name="verdict", output_type=LambdaOutputTypeEnum.String)],
)
pipeline = Pipeline(
    name="Questions", parameters=[count, rate, strict], steps=[ask, wait, conclude], sagemaker_session=session
)

if __name__ == "__main__":
    pipeline.upsert(role_arn=role)
    execution = pipeline.start(parameters={"Count": 4, "Strict": True})
    sqs, sm = boto3.client("sqs"), boto3.client("sagemaker")
    messages = []
    while not messages:
        messages = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5).get("Messages", [])
    body = json.loads(messages[0]["Body"])
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=messages[0]["ReceiptHandle"])
    sm.send_pipeline_execution_step_success(
        CallbackToken=body["token"],
        OutputParameters=[
            {"Name": "answer", "Value": f"yes to {body['arguments']['question']}"},
            {"Name": "votes", "Value": "17"},
        ],
    )
    print(execution.arn)
