// JSON that every reader reads alike, or an error: RFC 8259 narrowed to I-JSON (RFC 7493) and further, as
// the registry reads it. Refused: other encodings than UTF-8, duplicate names, NaN, numbers of magnitude over
// 2^53-1 however they are written, lone surrogates, U+0000, nesting deeper than 32.

import { Malformed } from "./bytes.js";

const MAX_DEPTH = 32;
export const MAX_BYTES = 1024 * 1024;
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const LONE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
const ESCAPES = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

/**
 * Parse strictly. Objects have no prototype, so that no name in them means anything.
 *
 * @param {string|Uint8Array} input
 */
export function parseJson(input) {
  let text = input;
  if (typeof input !== "string") {
    if (input.length > MAX_BYTES) throw new Malformed(`a credential has at most ${MAX_BYTES} bytes`);
    try {
      text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(input);
    } catch {
      throw new Malformed("the text is not UTF-8");
    }
  }
  if (text.length > MAX_BYTES) throw new Malformed(`a credential has at most ${MAX_BYTES} bytes`);
  return new Parser(text).whole();
}

class Parser {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  fail(what) {
    const before = this.text.slice(0, this.at).split("\n");
    throw new Malformed(`${what}, at line ${before.length}, column ${before.at(-1).length + 1}`);
  }

  whole() {
    const value = this.value(0);
    this.blanks();
    if (this.at < this.text.length) this.fail("something stands after the value");
    return value;
  }

  blanks() {
    while (" \t\n\r".includes(this.text[this.at] ?? "x")) this.at++;
  }

  /** Skip blanks and take `sign` if it comes next. */
  take(sign) {
    this.blanks();
    if (this.text[this.at] !== sign) return false;
    this.at++;
    return true;
  }

  value(depth) {
    this.blanks();
    const first = this.text[this.at];
    if (first === "{") return this.object(depth + 1);
    if (first === "[") return this.array(depth + 1);
    if (first === '"') return this.string();
    for (const [word, value] of [["true", true], ["false", false], ["null", null]]) {
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return value;
      }
    }
    return this.number();
  }

  object(depth) {
    if (depth > MAX_DEPTH) this.fail(`nested deeper than ${MAX_DEPTH}`);
    const found = Object.create(null);
    this.at++;
    if (this.take("}")) return found;
    do {
      this.blanks();
      if (this.text[this.at] !== '"') this.fail("a name in quotes is expected");
      const name = this.string();
      if (name in found) this.fail("an object has two members of the same name");
      if (!this.take(":")) this.fail("a colon is expected");
      this.blanks();
      const start = this.at;
      found[name] = this.value(depth);
      if (typeof found[name] === "number") noteFraction(found, name, this.text.slice(start, this.at));
    } while (this.take(","));
    if (!this.take("}")) this.fail("a comma or } is expected");
    return found;
  }

  array(depth) {
    if (depth > MAX_DEPTH) this.fail(`nested deeper than ${MAX_DEPTH}`);
    const found = [];
    this.at++;
    if (this.take("]")) return found;
    do found.push(this.value(depth));
    while (this.take(","));
    if (!this.take("]")) this.fail("a comma or ] is expected");
    return found;
  }

  string() {
    let found = "";
    for (this.at++; ; this.at++) {
      const sign = this.text[this.at];
      if (sign === undefined) this.fail("a text does not end");
      if (sign < " ") this.fail("a text holds a control character");
      if (sign === '"') break;
      found += sign === "\\" ? this.escape() : sign;
    }
    this.at++;
    if (LONE.test(found)) this.fail("a text holds half of a surrogate pair");
    if (found.includes("\0")) this.fail("a text holds U+0000");
    return found;
  }

  escape() {
    const sign = this.text[++this.at];
    if (sign in ESCAPES) return ESCAPES[sign];
    const digits = this.text.slice(this.at + 1, this.at + 5);
    if (sign !== "u" || !/^[0-9a-fA-F]{4}$/.test(digits)) this.fail("an escape is unknown");
    this.at += 4;
    return String.fromCharCode(parseInt(digits, 16));
  }

  number() {
    NUMBER.lastIndex = this.at;
    const found = NUMBER.exec(this.text);
    if (found === null) this.fail("a value is expected");
    const value = Number(found[0]);
    if (!isExactEnough(found[0], value)) this.fail("a number is beyond 2^53-1, or too small for a double");
    this.at += found[0].length;
    return value;
  }
}

const LIMIT = BigInt(Number.MAX_SAFE_INTEGER);
const MOST_DIGITS = 17;

/** Whether a number's magnitude is at most 2^53-1, compared exactly and before rounding, and does not vanish. */
function isExactEnough(text, value) {
  const [, whole, fraction = "", exponent = "0"] = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  const digits = (whole + fraction).replace(/^0+/, "");
  if (digits === "") return true;
  if (value === 0 || !Number.isFinite(value)) return false;
  const shift = Number(exponent) - fraction.length;
  if (digits.length + shift < MOST_DIGITS - 1) return true;
  if (digits.length + shift > MOST_DIGITS) return false;
  const [scaled, limit] =
    shift >= 0 ? [BigInt(digits) * 10n ** BigInt(shift), LIMIT] : [BigInt(digits), LIMIT * 10n ** BigInt(-shift)];
  return scaled <= limit;
}

const withFractions = new WeakMap();

/** Whether a member's number was written with a fraction or an exponent, as no index or size is. */
export function isWrittenAsFraction(object, name) {
  return withFractions.get(object)?.has(name) ?? false;
}

function noteFraction(object, name, text) {
  if (!/[.eE]/.test(text)) return;
  if (!withFractions.has(object)) withFractions.set(object, new Set());
  withFractions.get(object).add(name);
}
