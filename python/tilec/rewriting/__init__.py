"""What several passes build with."""
