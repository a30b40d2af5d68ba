"""The parts of a running service, and how they are connected."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from definition_language.text import number_of
from local.api.autoscaling import AutoScaling
from local.api.cloudformation import CloudFormation
from local.api.eventbridge.operations import EventBridge
from local.api.iam.simulation import Iam
from local.api.lambda_.operations import FunctionOperations
from local.api.logs.operations import LogOperations
from local.api.monitoring import Monitoring
from local.api.moto.services import MotoServices
from local.api.s3.server import S3
from local.api.sagemaker.callbacks import CallbackOperations
from local.api.sagemaker.endpoint_configs import EndpointConfigOperations
from local.api.sagemaker.endpoints import EndpointOperations
from local.api.sagemaker.http import SageMakerHttp
from local.api.sagemaker.model_package_groups import ModelPackageGroupOperations
from local.api.sagemaker.model_packages import ModelPackageOperations
from local.api.sagemaker.models import ModelOperations
from local.api.sagemaker.operations import SageMakerApi
from local.api.sagemaker.pipeline_executions import ExecutionOperations
from local.api.sagemaker.pipelines import PipelineOperations
from local.api.sagemaker.processing_jobs import ProcessingJobOperations
from local.api.sagemaker.search import SearchOperations
from local.api.sagemaker.table import Resources
from local.api.sagemaker.tags import TagOperations
from local.api.sagemaker.training_jobs import TrainingJobOperations
from local.api.sagemaker.transform_jobs import TransformJobOperations
from local.api.sagemaker.tuning_jobs import TuningJobOperations
from local.api.sqs import Sqs
from local.api.sts import Sts
from local.aws.credentials import KeyRing
from local.aws.wire import HttpResponse, RequestHead
from local.core.disk import Disk, is_full
from local.core.settings import Settings
from local.interpreter.execution_runner import ExecutionRunner
from local.interpreter.services import StepServices
from local.records.kinds import KINDS
from local.runtime.endpoints.changes import EndpointChanges
from local.runtime.endpoints.hosting import Hosting
from local.runtime.endpoints.serving import ModelLoader
from local.runtime.functions.restoring import restore as restore_functions
from local.runtime.functions.runner import FunctionRunner
from local.runtime.jobs import builtin_training
from local.runtime.jobs.processing import ProcessingRunner
from local.runtime.jobs.restoring import restore as restore_jobs
from local.runtime.jobs.training import TrainingRunner
from local.runtime.jobs.transform import TransformRunner
from local.runtime.jobs.tuning import TuningRunner
from local.runtime.models.servers import ModelServers
from local.runtime.supervisor import Supervisor
from local.storage.log_files import Logs
from local.storage.metric_points import MetricPoints
from local.storage.objects import Objects
from local.storage.set_aside import SetAside
from local.storage.store import Store

Answer = Callable[[RequestHead, bytes], HttpResponse]
_log = logging.getLogger(__name__)


class Parts:
    """The parts of a running service.

    Lower layers are created first. They call higher layers through ports, which are set here.

    Attributes:
        store: the records.
        objects: S3 objects as files.
        logs: log files.
        keys: the accepted access keys.
        supervisor: runs programs and background threads.
        functions: runs Lambda functions.
        metrics: data points of CloudWatch metrics.
        hosting: deployed models.
        servers: starts programs that serve models.
        changes: carries out changes of endpoints.
        executions: running pipeline executions.
        moto: the AWS services that moto answers for.
        events: EventBridge's default bus.
        sagemaker: SageMaker's operations.
        sagemaker_http: their HTTP interface.
        functions_api: Lambda's operations.
        logs_api: CloudWatch Logs' operations.
        s3: the ASGI application of S3.
        services: how requests to the other services are answered, by signing name.
    """

    def __init__(self, settings: Settings, keys: KeyRing, say: Callable[[str], None] = lambda _: None) -> None:
        region = settings.region
        self.keys = keys
        self._disk = Disk(say, settings.root)
        self.store = Store(settings.database, self._disk)
        self.objects = Objects(settings.buckets)
        self.logs = Logs(settings.logs, self._disk)
        self.supervisor = Supervisor(settings)
        self.moto = MotoServices(self.store, region)
        self._autoscaling = AutoScaling(self.moto, self.store, region)
        self.functions = functions = FunctionRunner(self.store, settings, self.logs, keys, self.supervisor)
        self.events = events = EventBridge(
            self.moto,
            self.logs,
            self.store,
            self.supervisor,
            region=region,
            call=self._call,
            invoke_function=functions.invoke_later,
        )
        self.metrics = MetricPoints(settings.metrics)
        self.hosting = Hosting(region, self.objects, self.logs, self.metrics, self.supervisor)
        self.servers = ModelServers(settings, keys, self.supervisor)
        loader = ModelLoader(settings, self.logs, self.servers)
        self.changes = EndpointChanges(
            self.store, settings, self.objects, loader, self.hosting, events, self.supervisor
        )
        self._queues = Sqs(self.moto, region)
        steps = StepServices(
            self.store, self.objects, events, self._call, functions, self._queues.send, self._prepare_training
        )
        self.executions = ExecutionRunner(steps)
        self.sagemaker = SageMakerApi(self._resources(settings).operations())
        self.sagemaker_http = SageMakerHttp(self.sagemaker, self.hosting, self.store)
        self.s3 = S3(settings, keys, self.objects, self.moto, events)
        self.functions_api = FunctionOperations(self.store, settings, self.objects, functions)
        self.logs_api = LogOperations(region, self.logs)
        self.services: dict[str, Answer] = {
            "sagemaker": self.sagemaker_http.answer,
            "lambda": self.functions_api.answer,
            "logs": self.logs_api.answer,
            "events": events.answer,
            "iam": Iam(self.moto, region).answer,
            "sqs": self._queues.answer,
            "sts": Sts(self.moto, keys, region).answer,
            "monitoring": Monitoring(self.moto, self.metrics).answer,
            "cloudformation": CloudFormation(self.moto, self.objects, region).answer,
            "application-autoscaling": self._autoscaling.answer,
        }
        self._settings = settings

    def restore(self, aside: SetAside) -> list[str]:
        """Repair the state of an earlier run, and return messages about it.

        Jobs are restored first, because executions read the state of their jobs.

        Args:
            aside: where damaged files and records go.
        """
        self.logs.repair(aside)
        counts = [(kind, len(self.store.list(kind.name))) for kind in KINDS]
        kept = ", ".join(kind.counted(count) for kind, count in counts if count)
        accepted = self._accepted_work()
        sentences = [
            *([f"Kept from before: {kept}."] if kept else []),
            *_safely("functions", lambda: restore_functions(self.store, self._settings, aside)),
            *_safely("jobs", lambda: restore_jobs(self.store, self.supervisor)),
            *_safely("endpoints", self._restore_endpoints),
            *_safely("executions", self.executions.restore),
            *accepted,
        ]
        # Last: they call functions, and start executions, which must not be taken for those of the earlier run.
        self.events.begin()
        self.functions.begin_asynchronous()
        return sentences

    def _accepted_work(self) -> list[str]:
        """Return a message about the events that an earlier run has accepted and not delivered, if there are any."""
        counts = ((self.events.waiting(), "event"), (self.functions.waiting(), "asynchronous invocation"))
        accepted = ", ".join(number_of(count, name) for count, name in counts if count)
        return [f"Accepted before and still to be done: {accepted}."] if accepted else []

    def _restore_endpoints(self) -> list[str]:
        # The programs of an earlier run have been killed with those of jobs.
        self.servers.remove_folders()
        return self.changes.restore()

    def stop_work(self) -> None:
        """Stop all processes and threads. Each is stopped, even if another's stop fails."""
        with ExitStack() as last_first:
            last_first.callback(self.supervisor.stop_all)
            last_first.callback(self.executions.stop_all)
            last_first.callback(self._queues.close)
            last_first.callback(self._disk.close)

    def close(self) -> None:
        """Flush pending data and close the records. Each is closed, even if another fails to close.

        The parts cannot be used afterwards.
        """
        with ExitStack() as last_first:
            last_first.callback(self.store.close)
            last_first.callback(self.metrics.close)
            last_first.callback(self.servers.remove_folders)
            last_first.callback(self.hosting.close)

    def _prepare_training(self, image: str) -> None:
        builtin_training.prepare(self.supervisor, image)

    def _call(self, name: str, request: dict[str, Any]) -> dict[str, Any]:
        return self.sagemaker.call(name, request)

    def _resources(self, settings: Settings) -> Resources:
        store, objects, supervisor, region = self.store, self.objects, self.supervisor, settings.region
        training = TrainingRunner(store, settings, objects, self.logs, self.keys, supervisor, self.metrics)
        training_jobs = TrainingJobOperations(store, settings, objects, supervisor, training)
        processing = ProcessingRunner(store, settings, objects, self.logs, self.keys, supervisor)
        pipelines = PipelineOperations(store, region, objects)
        return Resources(
            pipelines=pipelines,
            pipeline_executions=ExecutionOperations(store, objects, self.events, self.executions, pipelines),
            callbacks=CallbackOperations(store),
            processing_jobs=ProcessingJobOperations(store, settings, supervisor, processing),
            training_jobs=training_jobs,
            tuning_jobs=TuningJobOperations(
                store, region, supervisor, TuningRunner(store, region, supervisor, training), training_jobs
            ),
            transform_jobs=TransformJobOperations(
                store, region, supervisor, TransformRunner(store, settings, objects, self.logs, self.servers)
            ),
            models=ModelOperations(store, region, objects),
            model_package_groups=ModelPackageGroupOperations(store, region),
            model_packages=ModelPackageOperations(store, region, self.events),
            endpoint_configs=EndpointConfigOperations(store, region),
            endpoints=EndpointOperations(store, region, self.hosting, self.changes, self._autoscaling),
            tags=TagOperations(store, region),
            search=SearchOperations(store),
        )


def _safely(what: str, restore: Callable[[], list[str]]) -> list[str]:
    """Restore something. An unexpected error does not keep the service from starting."""
    try:
        return restore()
    except Exception as error:
        if is_full(error):
            raise
        _log.exception("the %s of an earlier run could not be restored", what)
        return [f"The {what} of an earlier run could not all be restored: {error!r} (service.log has the details)."]
