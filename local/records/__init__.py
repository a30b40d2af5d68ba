"""What the service keeps of each kind of resource, and the events that tell of a change."""
