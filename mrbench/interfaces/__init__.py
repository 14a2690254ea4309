"""What a plugin implements: methods, fusions, data sets and metrics."""
