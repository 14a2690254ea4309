"""Predictions from anywhere: files of others scored like a method's own, and those of a run written as such files."""
