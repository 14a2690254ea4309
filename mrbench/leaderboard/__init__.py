"""The leaderboard: submissions packed from runs, checked, compared, and shown beside reported figures."""
