"""What several recipes share, by topic."""
