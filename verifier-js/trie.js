// Proofs in a Merkle-Patricia trie (Ethereum's Yellow Paper, appendix D): the value of a key under a root, or
// that there is none. Every node that is needed must be there: a proof that is cut off proves nothing.

import { keccak_256 } from "./vendor/noble-hashes/sha3.js";
import { Unreadable, equal, toHex } from "./bytes.js";
import { decodeRlp } from "./rlp.js";

const MAX_NODES = 70; // 64 nibbles, and room for extensions

/**
 * @param {Uint8Array} root 32 bytes
 * @param {Uint8Array} key as in the trie, hashed already
 * @param {Uint8Array[]} proof the nodes on the way, each as RLP
 * @returns {Uint8Array|null} the value's RLP; null where the proof shows that there is none
 * @throws {Unreadable} the nodes do not prove either
 */
export function provenValue(root, key, proof) {
  if (proof.length > MAX_NODES) throw new Unreadable("a storage proof has too many nodes");
  const nibbles = [...key].flatMap((byte) => [byte >> 4, byte & 15]);
  const nodes = new Map(proof.map((node) => [toHex(keccak_256(node)), node]));
  if (proof.length === 0 && equal(root, keccak_256(Uint8Array.of(0x80)))) return null; // an empty trie
  let reference = root;
  let at = 0;
  for (let step = 0; step <= MAX_NODES; step++) {
    const node = follow(reference, nodes);
    if (node.length === 17) {
      if (at === nibbles.length) return node[16].length ? node[16] : null;
      reference = node[nibbles[at++]];
    } else if (node.length === 2) {
      const [path, isLeaf] = decodePath(node[0]);
      const fits = path.every((nibble, k) => nibble === nibbles[at + k]);
      if (isLeaf) return fits && at + path.length === nibbles.length ? node[1] : null;
      if (!fits) return null;
      at += path.length;
      reference = node[1];
    } else {
      throw new Unreadable("a storage proof has a node of an unknown kind");
    }
    if (!Array.isArray(reference) && reference.length === 0) return null;
  }
  throw new Unreadable("a storage proof does not end");
}

function follow(reference, nodes) {
  if (Array.isArray(reference)) return reference; // a node so small that it stands in its parent
  const node = reference.length === 32 ? nodes.get(toHex(reference)) : undefined;
  if (node === undefined) throw new Unreadable("a storage proof is cut off");
  const decoded = decodeRlp(node);
  if (!Array.isArray(decoded)) throw new Unreadable("a storage proof has a node of an unknown kind");
  return decoded;
}

/** Hex-prefix encoding (appendix C). */
function decodePath(bytes) {
  if (!(bytes instanceof Uint8Array) || bytes.length === 0 || bytes[0] >> 4 > 3) {
    throw new Unreadable("a storage proof has a path of an unknown form");
  }
  const nibbles = [...bytes].flatMap((byte) => [byte >> 4, byte & 15]);
  const isOdd = (nibbles[0] & 1) === 1;
  return [nibbles.slice(isOdd ? 1 : 2), nibbles[0] >= 2];
}
