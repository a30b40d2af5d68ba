"""SageMaker's algorithms, one module each. No other module of the pipeline names one."""
