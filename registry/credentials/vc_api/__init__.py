"""The VC API of the W3C Credentials Community Group: credentials signed on request, and verified, without a
batch or an anchor."""
