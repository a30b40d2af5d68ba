"""What every operation of the service has at hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from local.settings import Settings
from local.store import Store

if TYPE_CHECKING:
    from local.endpoints.hosting import Hosting
    from local.http.credentials import KeyRing
    from local.jobs.supervisor import Supervisor
    from local.logs.files import Logs
    from local.moto.services import MotoServices
    from local.pipelines.executions import Executions
    from local.s3.objects import Objects


@dataclass
class Context:
    """The running service, shared by all of its threads.

    Attributes:
        settings: where things are kept.
        store: the records.
        keys: the access keys whose requests count.
        objects: S3 objects as files.
        logs: job logs, which CloudWatch Logs serves.
        supervisor: processes of jobs.
        hosting: models in service.
        executions: pipeline executions under way.
        moto: the AWS services beside SageMaker, S3, Lambda and CloudWatch Logs.
    """

    settings: Settings
    store: Store
    keys: KeyRing = field(init=False)
    objects: Objects = field(init=False)
    logs: Logs = field(init=False)
    supervisor: Supervisor = field(init=False)
    hosting: Hosting = field(init=False)
    executions: Executions = field(init=False)
    moto: MotoServices = field(init=False)
