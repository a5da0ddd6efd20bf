"""What a kernel costs on a chip, beside the least that its program needs: data, as a table, as JSON."""
