"""`make bench`: how long things take here, as ratios within one run. No test asserts a time."""
