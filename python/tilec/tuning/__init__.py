"""The search for good block sizes and loops: what may be chosen, a model, compiled estimates, a cache."""
