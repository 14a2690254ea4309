"""The leaderboard as a static site: pages that work from a file, offline, and ask nothing of any server."""
