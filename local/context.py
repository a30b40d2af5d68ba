"""What every operation of the service has at hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from local.core.settings import Settings
from local.storage.store import Store

if TYPE_CHECKING:
    from local.api.moto.services import MotoServices
    from local.aws.credentials import KeyRing
    from local.interpreter.executions import Executions
    from local.runtime.endpoints.hosting import Hosting
    from local.runtime.supervisor import Supervisor
    from local.storage.log_files import Logs
    from local.storage.objects import Objects


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
