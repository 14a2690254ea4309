"""A run: plan, then for each cell prepare, fit, predict, score and record."""
