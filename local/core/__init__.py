"""Settings, errors, ARNs, paths and protocols for every layer."""
