"""Errors of the algorithms: in the user's input, in training, and in a request."""


class ClientError(Exception):
    """The user's hyperparameters or data are invalid. The job's FailureReason is ``ClientError: ...``."""


class AlgorithmError(Exception):
    """Training failed. The job's FailureReason is ``AlgorithmError: ...``."""


class InferenceError(Exception):
    """A request to the model's container failed.

    Attributes:
        status: The HTTP status of the container's response: 400, 413 or 415.
        message: The body of the container's response.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
