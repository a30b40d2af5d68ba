"""SageMaker's linear-learner, reimplemented from its documentation for one machine.

``python -m local.linear_learner ROOT ...`` trains; ``local.linear_learner.inference`` serves. What AWS
does not document is listed, with the choice made here, in ``docs/linear-learner.md``.
"""
