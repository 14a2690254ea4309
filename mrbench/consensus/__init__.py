"""One answer from several raters' masks: the majority vote, and STAPLE.

Needs NumPy alone.
"""

from mrbench.consensus.majority import majority_vote
from mrbench.consensus.staple import Rules, Staple, staple, staple_batch

__all__ = ["Rules", "Staple", "majority_vote", "staple", "staple_batch"]
