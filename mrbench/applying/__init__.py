"""A run's trained methods applied to images of other people."""
