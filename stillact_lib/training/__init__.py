"""One training loop, and what networks know before they see an action."""
