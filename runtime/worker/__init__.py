"""The worker: takes what has happened, advances orders, commits in groups, calls the outside world."""
