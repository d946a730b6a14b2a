"""How good commit messages are, beside three baselines, on any list of repositories."""
