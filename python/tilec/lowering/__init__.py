"""From schedules to the `pallas` dialect: what `--convert-tile-to-pallas` is made of."""
