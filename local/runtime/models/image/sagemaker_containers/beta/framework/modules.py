"""Nothing of this module has a use in a script that serves, but many import it."""
