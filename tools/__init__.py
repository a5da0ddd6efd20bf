"""The command line tools: tile-opt, tile-gui, tile-run."""
