// What is the same for every registry: its address (by the CREATE2 factory), the hash of its code, and the
// selectors of what is read. A test holds them against the compiled contract.

export const REGISTRY = "0x5a2a29865a69edcff7e4af6690fa1fbc9c5f416f";
export const CODE_HASH = "0xe0d66db3f376f271db4d4b56c3e872f011ff49f4bbee93c779a43bcc1bd1f15c";

export const TEST_CHAINS = new Set([
  1337, 31337, 131277322940537, 5, 97, 300, 10200, 17000, 43113, 59141, 80002, 84532, 421614, 534351, 560048,
  11142220, 11155111, 11155420,
]);
/** Of these, the ones that somebody runs for themselves: a block is final as soon as it is there. */
export const LOCAL_CHAINS = new Set([1337, 31337, 131277322940537]);

export const CONFIRMATIONS = 12;
export const REASONS = [
  "unspecified", "issued in error", "superseded", "misconduct", "requirements not met", "holder request",
  "key compromise", "administrative hold",
];
