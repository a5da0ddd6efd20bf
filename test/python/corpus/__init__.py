"""Programs that every pass and every emitted kernel must get right, with references in numpy."""
