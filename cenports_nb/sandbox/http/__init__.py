"""The HTTP side of the sandbox: server, routes, validation, faults."""
