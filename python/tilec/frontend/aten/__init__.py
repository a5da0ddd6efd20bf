"""What the operators of ATen are in a tile program: one table, by operator, in parts by kind."""
