"""A simulation of writes: random histories on a simulated server, judged by the server's own book."""
