// A RootmarkProof: its form, and whether it leads from the digest to the root. docs/proof-format.md, sections
// 3 and 4. Pure, but for SHA-256.

import { keccak_256 } from "./vendor/noble-hashes/sha3.js";
import { Malformed, concat, equal, fromHex, integerBytes, sha256, toHex, utf8 } from "./bytes.js";
import { isWrittenAsFraction } from "./strict-json.js";

const METHODS = { "opaque": 0, "jcs-sha256": 1, "rdfc-sha256": 2 };
const MAX_PATH = 64;
const MAX_SIZE = 2 ** 32;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i;

function need(condition, what) {
  if (!condition) throw new Malformed(`the proof's ${what}`);
}

function isObject(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/** An account; mixed case must be its checksum (EIP-55). @returns {Uint8Array} */
export function accountBytes(text, name = "an account") {
  const bytes = fromHex(text, 20, name);
  const digits = toHex(bytes).slice(2);
  const hash = toHex(keccak_256(utf8(digits))).slice(2);
  const mixed = [...digits].map((digit, k) => (hash[k] >= "8" ? digit.toUpperCase() : digit)).join("");
  if (![digits, digits.toUpperCase(), mixed].includes(text.slice(2))) {
    throw new Malformed(`${name} has a wrong checksum`);
  }
  return bytes;
}

function integer(object, name, low, high) {
  const value = object[name];
  const isWhole = Number.isSafeInteger(value) && !isWrittenAsFraction(object, name);
  need(isWhole && value >= low && value <= high, `${name} is no whole number within its range`);
  return value;
}

/** Nothing is concluded from registry and anchor, but their types are checked. */
function checkHints(proof) {
  if (proof.registry != null) {
    const found = typeof proof.registry === "string" && /^eip155:[1-9][0-9]{0,31}:(0x[^:]*)$/.exec(proof.registry);
    need(found, "registry is no CAIP-10 account");
    accountBytes(found[1], "the proof's registry");
  }
  if (proof.anchor != null) {
    need(isObject(proof.anchor), "anchor is no object");
    fromHex(proof.anchor.transaction, 32, "the anchor's transaction");
    fromHex(proof.anchor.blockHash, 32, "the anchor's blockHash");
    integer(proof.anchor, "blockNumber", 0, Number.MAX_SAFE_INTEGER);
    const time = proof.anchor.anchoredAt;
    need(typeof time === "string" && TIME.test(time) && isDay(time), "anchoredAt is no RFC 3339 time");
  }
}

/** Whether the calendar has the day. */
function isDay(time) {
  const [year, month, day] = time.slice(0, 10).split("-").map(Number);
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day && !Number.isNaN(Date.parse(time));
}

/**
 * Read a proof.
 *
 * @param {unknown} proof as `parseJson` gives it
 * @returns {{method: string, issuer: Uint8Array, digest: Uint8Array, salt: Uint8Array, root: Uint8Array,
 *            index: number, size: number, path: {side: string, value: Uint8Array}[], registry: string|null}}
 * @throws {Malformed}
 */
export function readProof(proof) {
  need(isObject(proof) && proof.type === "RootmarkProof/v1", "type is not RootmarkProof/v1");
  checkHints(proof);
  need(Object.hasOwn(METHODS, proof.digestMethod) && typeof proof.digestMethod === "string", "digestMethod is unknown");
  need(Array.isArray(proof.path) && proof.path.length <= MAX_PATH, `path is no list of at most ${MAX_PATH}`);
  return {
    method: proof.digestMethod,
    issuer: accountBytes(proof.issuer, "the proof's issuer"),
    digest: fromHex(proof.digest, 32, "the proof's digest"),
    salt: fromHex(proof.salt, 32, "the proof's salt"),
    root: fromHex(proof.root, 32, "the proof's root"),
    index: integer(proof, "index", 0, Number.MAX_SAFE_INTEGER),
    size: integer(proof, "size", 1, MAX_SIZE),
    path: proof.path.map((entry) => {
      const [side, ...more] = isObject(entry) ? Object.keys(entry) : [];
      need(more.length === 0 && (side === "left" || side === "right"), "path has an entry without one side");
      return { side, value: fromHex(entry[side], 32, "an entry of the proof's path") };
    }),
    registry: proof.registry ?? null,
  };
}

/**
 * Whether the proof leads from the digest to the root.
 *
 * @param {ReturnType<typeof readProof>} proof
 * @returns {Promise<string|null>} why not, or null when it does
 */
export async function whyNotIncluded(proof) {
  if (proof.index >= proof.size) return "the index is not below the size";
  const salted = await sha256(concat(proof.digest, proof.salt));
  const place = concat(Uint8Array.of(METHODS[proof.method]), proof.issuer, integerBytes(proof.index, 8));
  let node = await sha256(concat(place, salted));
  const entries = [...proof.path];
  let position = proof.index;
  for (let width = proof.size; width > 1; width = Math.ceil(width / 2)) {
    const isRight = position % 2 === 1;
    if (isRight || position + 1 < width) {
      const entry = entries.shift();
      if (entry === undefined) return "the path is too short for the size";
      if (entry.side !== (isRight ? "left" : "right")) return "a side of the path does not fit the index";
      node = await sha256(isRight ? concat(entry.value, node) : concat(node, entry.value));
    }
    position = Math.floor(position / 2);
  }
  if (entries.length > 0) return "the path is too long for the size";
  const root = await sha256(concat(Uint8Array.of(0xff), integerBytes(proof.size, 8), node));
  return equal(root, proof.root) ? null : "the path does not lead to the root";
}
