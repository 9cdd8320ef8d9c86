"""Rootmark's domain: batches, anchors, verdicts and revocations of credentials. Knows no HTTP."""
