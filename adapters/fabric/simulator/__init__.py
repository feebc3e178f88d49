"""A simulator of a Fabric channel."""
