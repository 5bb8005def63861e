"""The journal: every change before it is sent, and every answer about it afterward."""
