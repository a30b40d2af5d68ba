"""SageMaker and the services around it on one machine, behind AWS's API on localhost.

Layers, top to bottom; an import goes down only: ``app``, ``api``, ``interpreter``, ``runtime``, ``records``,
``storage``, ``aws``, ``core``. ``algorithms`` imports nothing of the rest.
"""
