"""The use cases, one module each. They see chain, store, signers and clock only as ports."""
