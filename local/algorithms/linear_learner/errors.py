"""The failures of linear-learner, by whose mistake they are."""


class ClientError(Exception):
    """The user's hyperparameters or data are at fault; becomes the FailureReason ``ClientError: ...``."""


class AlgorithmError(Exception):
    """Training itself failed; becomes the FailureReason ``AlgorithmError: ...``."""


class InferenceError(Exception):
    """A request that the model's container answers with an error status.

    Attributes:
        status: the container's HTTP status: 400, 413 or 415.
        message: the container's response body.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
