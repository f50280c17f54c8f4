"""What a chapter's cell calls: figures, explorers, sources shown, where a run's data comes from."""
