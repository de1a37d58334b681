"""A service that the platform does not know: its contract, its process, and a gateway that is told of it."""
