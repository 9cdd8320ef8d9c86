"""The repositories of `registry.ports.store`: statements over row classes, nothing else."""
