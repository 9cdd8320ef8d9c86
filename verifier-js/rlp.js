// RLP as Ethereum's Yellow Paper defines it (appendix B), strictly: one reading for each encoding, or an error.

import { Unreadable, bytesInteger } from "./bytes.js";

/** @param {Uint8Array} bytes @returns {Uint8Array|Array} bytes, or a list of such @throws {Unreadable} */
export function decodeRlp(bytes) {
  const [value, end] = item(bytes, 0);
  if (end !== bytes.length) throw new Unreadable("a node's RLP does not end where it should");
  return value;
}

function item(bytes, at) {
  const first = bytes[at];
  if (first === undefined) throw new Unreadable("a node's RLP is cut off");
  if (first < 0x80) return [bytes.subarray(at, at + 1), at + 1];
  const isList = first >= 0xc0;
  const [start, length] = extent(bytes, at, first - (isList ? 0xc0 : 0x80));
  const end = start + length;
  if (end > bytes.length) throw new Unreadable("a node's RLP is cut off");
  if (!isList) {
    if (length === 1 && bytes[start] < 0x80) throw new Unreadable("a node's RLP is not the shortest");
    return [bytes.subarray(start, end), end];
  }
  const values = [];
  for (let next = start; next < end; ) {
    const [value, after] = item(bytes.subarray(0, end), next);
    values.push(value);
    next = after;
  }
  return [values, end];
}

function extent(bytes, at, short) {
  if (short <= 55) return [at + 1, short];
  const size = short - 55;
  const digits = bytes.subarray(at + 1, at + 1 + size);
  const length = bytesInteger(digits);
  if (digits.length < size || digits[0] === 0 || length <= 55n || length > BigInt(bytes.length)) {
    throw new Unreadable("a node's RLP has a wrong length");
  }
  return [at + 1 + size, Number(length)];
}
