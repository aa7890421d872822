"""The builders of the resource graph: one file for each place that knows what there is."""
