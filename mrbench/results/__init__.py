"""Results: from the cells that were computed to tables and comparisons that anything can show."""
