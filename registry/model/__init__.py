"""The domain's types: frozen values and enums, no behaviour beyond their own consistency.

Bytes inside, `0x` hex only at the edges; units stand in names (`_seconds`, `_wei`, `_block`); every time is
an aware
UTC datetime, except chain times (`at`), which are the block's integer seconds since the epoch, as the
contract keeps them.
"""
