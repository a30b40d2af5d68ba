"""Records of every kind of resource, and the events that announce their changes."""
