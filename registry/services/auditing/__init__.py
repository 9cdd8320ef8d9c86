"""What auditors read: histories held against the chain, revocations, and where server and chain differ."""
