"""The table of the implemented operations of SageMaker."""

from __future__ import annotations

from dataclasses import dataclass

from local.api.sagemaker.callbacks import CallbackOperations
from local.api.sagemaker.endpoint_configs import EndpointConfigOperations
from local.api.sagemaker.endpoints import EndpointOperations
from local.api.sagemaker.model_package_groups import ModelPackageGroupOperations
from local.api.sagemaker.model_packages import ModelPackageOperations
from local.api.sagemaker.models import ModelOperations
from local.api.sagemaker.operations import Operation
from local.api.sagemaker.pipeline_executions import ExecutionOperations
from local.api.sagemaker.pipelines import PipelineOperations
from local.api.sagemaker.processing_jobs import ProcessingJobOperations
from local.api.sagemaker.search import SearchOperations
from local.api.sagemaker.tags import TagOperations
from local.api.sagemaker.training_jobs import TrainingJobOperations
from local.api.sagemaker.transform_jobs import TransformJobOperations
from local.api.sagemaker.tuning_jobs import TuningJobOperations


@dataclass(frozen=True)
class Resources:
    """The operations of each kind of resource."""

    pipelines: PipelineOperations
    pipeline_executions: ExecutionOperations
    callbacks: CallbackOperations
    processing_jobs: ProcessingJobOperations
    training_jobs: TrainingJobOperations
    tuning_jobs: TuningJobOperations
    transform_jobs: TransformJobOperations
    models: ModelOperations
    model_package_groups: ModelPackageGroupOperations
    model_packages: ModelPackageOperations
    endpoint_configs: EndpointConfigOperations
    endpoints: EndpointOperations
    tags: TagOperations
    search: SearchOperations

    def operations(self) -> dict[str, Operation]:
        """Return the operations by their names in SageMaker's API."""
        return {
            "CreatePipeline": self.pipelines.create_pipeline,
            "UpdatePipeline": self.pipelines.update_pipeline,
            "DescribePipeline": self.pipelines.describe_pipeline,
            "ListPipelines": self.pipelines.list_pipelines,
            "DeletePipeline": self.pipelines.delete_pipeline,
            "ListPipelineVersions": self.pipelines.list_pipeline_versions,
            "UpdatePipelineVersion": self.pipelines.update_pipeline_version,
            "StartPipelineExecution": self.pipeline_executions.start,
            "DescribePipelineExecution": self.pipeline_executions.describe,
            "ListPipelineExecutions": self.pipeline_executions.list_executions,
            "ListPipelineExecutionSteps": self.pipeline_executions.list_steps,
            "ListPipelineParametersForExecution": self.pipeline_executions.list_parameters,
            "DescribePipelineDefinitionForExecution": self.pipeline_executions.describe_definition,
            "StopPipelineExecution": self.pipeline_executions.stop,
            "RetryPipelineExecution": self.pipeline_executions.retry,
            "UpdatePipelineExecution": self.pipeline_executions.update,
            "SendPipelineExecutionStepSuccess": self.callbacks.send_success,
            "SendPipelineExecutionStepFailure": self.callbacks.send_failure,
            "CreateProcessingJob": self.processing_jobs.create_processing_job,
            "DescribeProcessingJob": self.processing_jobs.describe_processing_job,
            "ListProcessingJobs": self.processing_jobs.list_processing_jobs,
            "StopProcessingJob": self.processing_jobs.stop_processing_job,
            "DeleteProcessingJob": self.processing_jobs.delete_processing_job,
            "CreateTrainingJob": self.training_jobs.create_training_job,
            "DescribeTrainingJob": self.training_jobs.describe_training_job,
            "ListTrainingJobs": self.training_jobs.list_training_jobs,
            "StopTrainingJob": self.training_jobs.stop_training_job,
            "DeleteTrainingJob": self.training_jobs.delete_training_job,
            "CreateHyperParameterTuningJob": self.tuning_jobs.create_tuning_job,
            "DescribeHyperParameterTuningJob": self.tuning_jobs.describe_tuning_job,
            "ListHyperParameterTuningJobs": self.tuning_jobs.list_tuning_jobs,
            "ListTrainingJobsForHyperParameterTuningJob": self.tuning_jobs.list_training_jobs_of_tuning_job,
            "StopHyperParameterTuningJob": self.tuning_jobs.stop_tuning_job,
            "DeleteHyperParameterTuningJob": self.tuning_jobs.delete_tuning_job,
            "CreateTransformJob": self.transform_jobs.create_transform_job,
            "DescribeTransformJob": self.transform_jobs.describe_transform_job,
            "ListTransformJobs": self.transform_jobs.list_transform_jobs,
            "StopTransformJob": self.transform_jobs.stop_transform_job,
            "CreateModel": self.models.create_model,
            "DescribeModel": self.models.describe_model,
            "ListModels": self.models.list_models,
            "DeleteModel": self.models.delete_model,
            "CreateModelPackageGroup": self.model_package_groups.create_model_package_group,
            "DescribeModelPackageGroup": self.model_package_groups.describe_model_package_group,
            "ListModelPackageGroups": self.model_package_groups.list_model_package_groups,
            "DeleteModelPackageGroup": self.model_package_groups.delete_model_package_group,
            "CreateModelPackage": self.model_packages.create_model_package,
            "DescribeModelPackage": self.model_packages.describe_model_package,
            "BatchDescribeModelPackage": self.model_packages.batch_describe_model_package,
            "ListModelPackages": self.model_packages.list_model_packages,
            "UpdateModelPackage": self.model_packages.update_model_package,
            "DeleteModelPackage": self.model_packages.delete_model_package,
            "CreateEndpointConfig": self.endpoint_configs.create_endpoint_config,
            "DescribeEndpointConfig": self.endpoint_configs.describe_endpoint_config,
            "ListEndpointConfigs": self.endpoint_configs.list_endpoint_configs,
            "DeleteEndpointConfig": self.endpoint_configs.delete_endpoint_config,
            "CreateEndpoint": self.endpoints.create_endpoint,
            "DescribeEndpoint": self.endpoints.describe_endpoint,
            "ListEndpoints": self.endpoints.list_endpoints,
            "UpdateEndpoint": self.endpoints.update_endpoint,
            "UpdateEndpointWeightsAndCapacities": self.endpoints.update_endpoint_weights_and_capacities,
            "DeleteEndpoint": self.endpoints.delete_endpoint,
            "Search": self.search.search,
            "AddTags": self.tags.add_tags,
            "ListTags": self.tags.list_tags,
            "DeleteTags": self.tags.remove_tags,
        }
