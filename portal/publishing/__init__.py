"""What the pages of publishers show: forms of datasets, steps of proposals, lines of the log."""
