"""The kit of every door: strict JSON in, problem+json out, the same at each path under /api."""
