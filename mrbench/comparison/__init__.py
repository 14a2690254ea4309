"""Comparisons of finished runs: paired differences of methods, and what each scoring variant shifts."""
