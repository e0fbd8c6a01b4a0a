"""The floor: the same job written by hand, as a developer who knows Temporal would, and nothing else."""
