// When and why one credential was revoked or suspended: by the contract's events, which lie outside of what a
// storage proof covers, so that they are the node's word. Whether it is revoked is never concluded from them. Loaded
// only for one that is.

import { keccak_256 } from "./vendor/noble-hashes/sha3.js";
import { Unreadable, bytesInteger, concat, fromHex, toHex, utf8 } from "./bytes.js";
import { hexadecimal } from "./rpc.js";

const BITS = 256;
const WORD = 32;
const HEAD = 5 * WORD; // offset of the changes, reason, time, the issuer's head, number of changes
const CHANGES = "(address,bytes32,address,(uint64,uint256)[],uint16,uint40,bytes32)";
const SETS = { Revoked: "revoked", Suspended: "suspended" };
const CLEARS = { RevocationAnnulled: "revoked", Reinstated: "suspended" };
const TOPICS = new Map([...Object.keys(SETS), ...Object.keys(CLEARS)].map((name) => [topicOf(name), name]));

function topicOf(name) {
  return toHex(keccak_256(utf8(name + CHANGES)));
}

/**
 * @param {import("./rpc.js").Node} node
 * @param {string} registry the contract's address
 * @param {{issuer: Uint8Array, root: Uint8Array, index: number}} place
 * @param {import("./rpc.js").Block} block up to which
 * @returns {Promise<{revoked: Change|null, suspended: Change|null}>} what made it so, where it is so
 * @throws {Unreadable}
 */
export async function changesOf(node, registry, place, block) {
  const issuer = toHex(concat(new Uint8Array(12), place.issuer));
  const logs = await node.ask("eth_getLogs", {
    address: registry,
    fromBlock: hexadecimal(0),
    toBlock: hexadecimal(block.number),
    topics: [[...TOPICS.keys()], issuer, toHex(place.root)],
  });
  if (!Array.isArray(logs)) throw new Unreadable("the node's answer has no list of events");
  const found = { revoked: null, suspended: null };
  for (const log of logs) {
    const name = TOPICS.get(log?.topics?.[0]);
    if (name === undefined || log.topics[1] !== issuer || log.topics[2] !== toHex(place.root)) {
      throw new Unreadable("the node's answer has an event that was not asked for");
    }
    const change = read(log, place.index);
    if (change === null) continue;
    if (name in CLEARS) found[CLEARS[name]] = null;
    else found[SETS[name]] ??= change; // what was set keeps its first time and reason
  }
  return found;
}

/** @typedef {{at: number, reason: number, actor: string, transaction: string}} Change seconds, a code, and hex */

/** One event, if it is about that leaf. */
function read(log, index) {
  const data = bytesOf(log.data);
  const words = Array.from({ length: HEAD / WORD }, (_, k) => bytesInteger(data.subarray(k * WORD, (k + 1) * WORD)));
  const [offset, reason, at, , count] = words;
  const isOfForm = data.length >= HEAD && offset === 128n && BigInt(data.length) === BigInt(HEAD) + 2n * count * BigInt(WORD);
  if (!isOfForm) throw new Unreadable("the node's answer has an event of another form");
  for (let k = HEAD; k < data.length; k += 2 * WORD) {
    const [word, mask] = [k, k + WORD].map((start) => bytesInteger(data.subarray(start, start + WORD)));
    if (word !== BigInt(Math.floor(index / BITS)) || ((mask >> BigInt(index % BITS)) & 1n) === 0n) continue;
    const actor = toHex(bytesOf(log.topics[3]).subarray(12));
    return { at: Number(at), reason: Number(reason), actor, transaction: toHex(bytesOf(log.transactionHash)) };
  }
  return null;
}

function bytesOf(text) {
  try {
    return fromHex(text, (text.length - 2) / 2);
  } catch {
    throw new Unreadable("the node's answer has an event of another form");
  }
}
