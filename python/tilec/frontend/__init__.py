"""The frontend: torch functions over tiles, traced into programs of the `tile` dialect."""
