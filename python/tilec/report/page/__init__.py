"""A report as a page that stands alone: one file of HTML, with its styles, its script and its figures."""
