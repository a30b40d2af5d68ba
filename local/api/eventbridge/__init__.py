"""EventBridge: moto keeps rules and targets, and the service delivers events to the targets."""
