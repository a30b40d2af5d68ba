"""The SageMaker API on one machine: the service, its job runners, linear-learner and endpoint hosting."""
