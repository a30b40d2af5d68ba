"""The port: requests are told apart, checked, and answered in the client's own protocol."""
