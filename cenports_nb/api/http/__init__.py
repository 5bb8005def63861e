"""One request: session, cache, rate limit, authentication, transport."""
