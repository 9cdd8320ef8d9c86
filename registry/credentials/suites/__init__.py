"""How credentials are signed: Data Integrity proofs and JOSE tokens, created and verified."""
