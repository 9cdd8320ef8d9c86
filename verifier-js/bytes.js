// Bytes, hex and hashes. Everything throws `Malformed` for input of the wrong form.

/** What was shown does not have the form that it must have; the message is a sentence for a person. */
export class Malformed extends Error {}

/** A node gave no answer, or one that contradicts itself; nothing may be concluded. */
export class Unreadable extends Error {}

/** @param {string} text `0x` and exactly `length` bytes in hex, any case. @returns {Uint8Array} */
export function fromHex(text, length, name = "a value") {
  if (typeof text !== "string" || text.length !== 2 + 2 * length || !/^0x[0-9a-fA-F]*$/.test(text)) {
    throw new Malformed(`${name} must be 0x and ${length} bytes in hex`);
  }
  return Uint8Array.from({ length }, (_, k) => parseInt(text.slice(2 + 2 * k, 4 + 2 * k), 16));
}

/** @param {Uint8Array} bytes @returns {string} `0x…`, lower case */
export function toHex(bytes) {
  return "0x" + Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {...Uint8Array} parts @returns {Uint8Array} */
export function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** @returns {boolean} whether both have the same bytes; not in constant time, nothing here is secret */
export function equal(one, other) {
  return one.length === other.length && one.every((byte, k) => byte === other[k]);
}

/** @param {bigint|number} value @returns {Uint8Array} big-endian */
export function integerBytes(value, length) {
  const bytes = new Uint8Array(length);
  let rest = BigInt(value);
  for (let k = length - 1; k >= 0; k--, rest >>= 8n) bytes[k] = Number(rest & 0xffn);
  return bytes;
}

/** @param {Uint8Array} bytes @returns {bigint} */
export function bytesInteger(bytes) {
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** @param {string} text @returns {Uint8Array} UTF-8 */
export function utf8(text) {
  return new TextEncoder().encode(text);
}

/** SHA-256 (FIPS 180-4), by the browser. @returns {Promise<Uint8Array>} */
export async function sha256(bytes) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const MAX_BASE58 = 256;

/** Base58 with Bitcoin's alphabet, as multibase `z…` writes it. @returns {Uint8Array} */
export function fromMultibase58(text, name = "a value") {
  if (typeof text !== "string" || text[0] !== "z" || text.length > MAX_BASE58) {
    throw new Malformed(`${name} must be multibase base58btc`);
  }
  let value = 0n;
  for (const digit of text.slice(1)) {
    const at = BASE58.indexOf(digit);
    if (at < 0) throw new Malformed(`${name} must be multibase base58btc`);
    value = value * 58n + BigInt(at);
  }
  const bytes = [];
  for (; value > 0n; value >>= 8n) bytes.unshift(Number(value & 0xffn));
  const zeros = text.slice(1).match(/^1*/)[0].length;
  return Uint8Array.from([...new Array(zeros).fill(0), ...bytes]);
}

const BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Base64url without padding (RFC 4648, section 5), in the one spelling that bytes have. @returns {Uint8Array} */
export function fromBase64url(text, name = "a value") {
  const spare = { 0: 0, 2: 15, 3: 3 }[text.length % 4]; // bits of the last sign that say nothing
  const isClean = /^[\w-]*$/.test(text) && spare !== undefined && (BASE64URL.indexOf(text.at(-1)) & spare) === 0;
  if (!isClean) throw new Malformed(`${name} must be base64url`);
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));
}
