"""The gateway and the server: the only layer that knows every part and connects them."""
