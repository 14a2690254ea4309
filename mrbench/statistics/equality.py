"""When two values are the same: the one answer for stars, letters, ranks and counts of ties."""

TIE = 1e-12
"""Values that differ by no more are the same: sums in another order differ by less."""
