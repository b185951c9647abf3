"""Speed and memory of the running service, as ratios against limits of the same run."""
