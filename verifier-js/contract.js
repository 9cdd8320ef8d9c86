// What the registry contract says about one leaf at one block: by storage proofs against the block's state
// root where the node gives any (eth_getProof, EIP-1186), else by calls, whose answers have to be believed.
// Slots and packing: docs/contract.md, "Storage".

import { keccak_256 } from "./vendor/noble-hashes/sha3.js";
import { Unreadable, bytesInteger, concat, equal, fromHex, integerBytes, toHex, utf8 } from "./bytes.js";
import { CODE_HASH } from "./constants.js";
import { decodeRlp } from "./rlp.js";
import { NoSuchMethod, hexadecimal } from "./rpc.js";
import { provenValue } from "./trie.js";

const REVOKED = 1;
const SUSPENDED = 2;
const BITS = 256;

/**
 * @typedef {{anchoredAt: number, withdrawnAt: number, reason: number, keyValidUntil: number,
 *            keyRetiredAt: number, revoked: boolean, suspended: boolean}} Leaf
 */

/**
 * @param {import("./rpc.js").Node} node
 * @param {string} registry the contract's address
 * @param {{issuer: Uint8Array, root: Uint8Array, index: number}} place
 * @param {import("./rpc.js").Block} block
 * @returns {Promise<{leaf: Leaf|null, proven: boolean}>} null: the root is not anchored
 * @throws {Unreadable}
 */
export async function readLeaf(node, registry, place, block) {
  const word = Math.floor(place.index / BITS);
  const slots = [
    slotOf(slotOf(integerBytes(1, 32), place.issuer), place.root),
    bitsSlot(REVOKED, place, word),
    bitsSlot(SUSPENDED, place, word),
  ];
  const reader = await readerOf(node, registry, block, slots);
  const [batchWord, revoked, suspended] = await reader.words(slots, [
    ["batchOf(address,bytes32)", pad(place.issuer), place.root],
    ...[REVOKED, SUSPENDED].map((kind) => [
      "bitsOf(uint8,address,bytes32,uint64)", integerBytes(kind, 32), pad(place.issuer), place.root, integerBytes(word, 32),
    ]),
  ]);
  const batch = unpack(batchWord);
  if (batch.first === 0) return { leaf: null, proven: reader.proven };
  const keySlot = slotOf(integerBytes(0, 32), batch.account);
  const [keyWord] = await reader.words([keySlot], [["keyOf(address)", pad(batch.account)]]);
  const key = unpack(keyWord);
  const bit = BigInt(place.index % BITS);
  const leaf = {
    anchoredAt: batch.first,
    withdrawnAt: batch.second,
    reason: batch.rest,
    keyValidUntil: key.first,
    keyRetiredAt: key.second,
    revoked: ((revoked >> bit) & 1n) === 1n,
    suspended: ((suspended >> bit) & 1n) === 1n,
  };
  return { leaf, proven: reader.proven };
}

function pad(bytes) {
  return concat(new Uint8Array(32 - bytes.length), bytes);
}

/** The slot of a key in the mapping at `slot`. */
function slotOf(slot, key) {
  return keccak_256(concat(pad(key), slot));
}

function bitsSlot(kind, place, word) {
  const ofKind = slotOf(integerBytes(3, 32), integerBytes(kind, 32));
  return slotOf(slotOf(slotOf(ofKind, place.issuer), place.root), integerBytes(word, 32));
}

/** `{ address; uint40; uint40; uint16 }` in one word, from the low-order end. */
function unpack(word) {
  return {
    account: integerBytes(word & ((1n << 160n) - 1n), 20),
    first: Number((word >> 160n) & 0xffffffffffn),
    second: Number((word >> 200n) & 0xffffffffffn),
    rest: Number((word >> 240n) & 0xffffn),
  };
}

// --- two ways to read ---

async function readerOf(node, registry, block, slots) {
  try {
    const first = await provenWords(node, registry, block, slots);
    return {
      proven: true,
      words: async (wanted) => (wanted === slots ? first : provenWords(node, registry, block, wanted)),
    };
  } catch (error) {
    if (!(error instanceof NoSuchMethod)) throw error;
  }
  await requireCode(node, registry, block);
  return { proven: false, words: (_slots, calls) => calledWords(node, registry, block, calls) };
}

async function provenWords(node, registry, block, slots) {
  const answer = await node.ask("eth_getProof", registry, slots.map(toHex), hexadecimal(block.number));
  const [accountProof, entries] = [list(answer?.accountProof), list(answer?.storageProof)];
  const account = provenValue(block.stateRoot, keccak_256(fromHex(registry, 20)), accountProof.map(anyBytes));
  const fields = account === null ? [] : decodeRlp(account);
  if (fields.length !== 4) throw new Unreadable("there is no registry at that address on this chain");
  const [, , storageRoot, codeHash] = fields;
  requireSameCode(codeHash);
  return slots.map((slot, k) => {
    const proof = list(entries[k]?.proof).map(anyBytes);
    const value = provenValue(storageRoot, keccak_256(slot), proof);
    return value === null ? 0n : bytesInteger(decodeRlp(value));
  });
}

async function requireCode(node, registry, block) {
  const code = await node.ask("eth_getCode", registry, hexadecimal(block.number));
  requireSameCode(keccak_256(anyBytes(code)));
}

function requireSameCode(hash) {
  if (!equal(hash, fromHex(CODE_HASH, 32))) {
    throw new Unreadable("at the registry's address is other code, or none, on this chain");
  }
}

async function calledWords(node, registry, block, calls) {
  return Promise.all(
    calls.map(async ([name, ...parameters]) => {
      const data = toHex(concat(keccak_256(utf8(name)).subarray(0, 4), ...parameters));
      const answer = anyBytes(await node.ask("eth_call", { to: registry, data }, hexadecimal(block.number)));
      return answer.length === 128 ? packed(answer) : word(answer);
    }),
  );
}

function word(answer) {
  if (answer.length !== 32) throw new Unreadable("the contract's answer has another form");
  return bytesInteger(answer);
}

/** A struct of four members, each in a word of its own, as it lies in storage. */
function packed(answer) {
  const [account, first, second, rest] = [0, 32, 64, 96].map((at) => bytesInteger(answer.subarray(at, at + 32)));
  if (account >> 160n || first >> 40n || second >> 40n || rest >> 16n) {
    throw new Unreadable("the contract's answer has another form");
  }
  return account | (first << 160n) | (second << 200n) | (rest << 240n);
}

function list(value) {
  if (!Array.isArray(value)) throw new Unreadable("the node's storage proof has another form");
  return value;
}

function anyBytes(text) {
  if (typeof text !== "string" || !/^0x([0-9a-fA-F]{2})*$/.test(text)) {
    throw new Unreadable("the node's answer is no hex");
  }
  return fromHex(text, text.length / 2 - 1);
}
