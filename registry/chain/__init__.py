"""The chain: the only package that imports web3 and eth-tester. Its types never leave it."""
