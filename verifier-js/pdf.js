// Files that are attached to a PDF (ISO 32000-1, sections 7.3, 7.5 and 7.11). The objects are read in the order in
// which they stand, without the table at the end: a stream of the type EmbeddedFile is an attachment, wherever it
// hangs, and the later of two objects of one number counts, as after a change that was appended. Loaded only when
// a PDF is shown.

import { Malformed } from "./bytes.js";

export const MAX_ATTACHMENTS = 20;
const MAX_ATTACHMENT_BYTES = 1024 * 1024;
const MAX_TRAILER = 2048; // characters from the mark of the end to the end
const MAX_DEPTH = 32;
const OBJECT = /(\d{1,10})\s{1,20}\d{1,5}\s{1,20}obj\s{0,20}|trailer\s{0,20}/g;
const NAME = /\/[^\s()<>[\]{}/%]{0,200}/y;
const PLAIN = /[^\s()<>[\]{}/%]{1,200}(?:\s{1,20}\d{1,5}\s{1,20}R(?![^\s()<>[\]{}/%]))?/y;
const SPACES = "\0\t\n\f\r ";
const STREAM = /\s*stream\r?\n/y;

/**
 * @param {Uint8Array} bytes a file that begins with `%PDF-`
 * @returns {Promise<Uint8Array[]>} what is attached, unpacked
 * @throws {Malformed} encrypted, damaged, too much, or packed in another way than texts are
 */
export async function attachedTo(bytes) {
  const text = new TextDecoder("latin1").decode(bytes); // a character for each byte
  if (!text.slice(-MAX_TRAILER).includes("%%EOF")) throw new Malformed("this PDF is cut off");
  const found = new Map();
  OBJECT.lastIndex = 0;
  for (let match = OBJECT.exec(text); match !== null; match = OBJECT.exec(text)) {
    const at = OBJECT.lastIndex;
    if (!text.startsWith("<<", at)) continue;
    const { entries, end } = dictionary(text, at);
    if (match[1] === undefined || entries.get("/Type") === "/XRef") {
      if (entries.has("/Encrypt")) throw new Malformed("this PDF is encrypted: save it without a password");
    }
    STREAM.lastIndex = end;
    const begin = STREAM.test(text) ? STREAM.lastIndex : null;
    OBJECT.lastIndex = begin === null ? end : endOf(text, begin, entries);
    if (match[1] === undefined) continue;
    if (begin === null || entries.get("/Type") !== "/EmbeddedFile") found.delete(match[1]);
    else found.set(match[1], { entries, raw: bytes.subarray(begin, OBJECT.lastIndex) });
    if (found.size > MAX_ATTACHMENTS) throw new Malformed(`this PDF has more than ${MAX_ATTACHMENTS} attachments`);
  }
  return Promise.all([...found.values()].map(unpacked));
}

/** Where a stream's bytes end: after its length, where that is said and true, else before the word that ends it. */
function endOf(text, begin, entries) {
  const length = entries.get("/Length");
  if (/^\d{1,10}$/.test(length)) {
    const end = begin + Number(length);
    if (/^\s{0,2}endstream/.test(text.slice(end, end + 11))) return end;
  }
  const end = text.indexOf("endstream", begin);
  if (end < 0) throw new Malformed("this PDF is damaged: a part of it has no end");
  if (text.startsWith("\r\n", end - 2)) return end - 2;
  return /[\r\n]/.test(text[end - 1]) ? end - 1 : end;
}

async function unpacked({ entries, raw }) {
  const filter = (entries.get("/Filter") ?? "").replaceAll(/^\[\s*|\s*\]$/g, "");
  if (filter === "") return raw.length <= MAX_ATTACHMENT_BYTES ? raw : new Uint8Array();
  if (filter !== "/FlateDecode" || entries.has("/DecodeParms")) return new Uint8Array(); // texts are not packed so
  const stream = new Blob([raw]).stream().pipeThrough(new DecompressionStream("deflate"));
  const whole = new Uint8Array(MAX_ATTACHMENT_BYTES);
  let length = 0;
  try {
    for (const reader = stream.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) return whole.slice(0, length);
      if (length + value.length > whole.length) {
        await reader.cancel();
        throw new Malformed("this PDF unpacks to more than is read here");
      }
      whole.set(value, length);
      length += value.length;
    }
  } catch (error) {
    if (error instanceof Malformed) throw error;
    throw new Malformed("this PDF is damaged: an attachment cannot be unpacked");
  }
}

// --- objects ---

/** The entries of the dictionary that begins at a place, values as they are written; and where it ends. */
function dictionary(text, at, depth = 0) {
  const entries = new Map();
  let next = space(text, at + 2);
  while (!text.startsWith(">>", next)) {
    const afterName = token(NAME, text, next);
    const begin = space(text, afterName);
    const end = value(text, begin, depth + 1);
    entries.set(text.slice(next, afterName), text.slice(begin, end));
    next = space(text, end);
  }
  return { entries, end: next + 2 };
}

/** Where the value that begins at a place ends. */
function value(text, at, depth) {
  if (depth > MAX_DEPTH) throw damaged();
  if (text.startsWith("<<", at)) return dictionary(text, at, depth).end;
  if (text[at] === "<") return after(text, ">", at);
  if (text[at] === "(") return string(text, at);
  if (text[at] === "/") return token(NAME, text, at);
  if (text[at] !== "[") return token(PLAIN, text, at);
  let next = space(text, at + 1);
  while (text[next] !== "]") next = space(text, value(text, next, depth + 1));
  return next + 1;
}

function string(text, at) {
  let open = 0;
  for (let k = at; k < text.length; k++) {
    if (text[k] === "\\") k++;
    else if (text[k] === "(") open++;
    else if (text[k] === ")" && --open === 0) return k + 1;
  }
  throw damaged();
}

/** Where white space and comments end. */
function space(text, at) {
  let next = at;
  for (let isComment = false; next < text.length; next++) {
    if (isComment) isComment = text[next] !== "\r" && text[next] !== "\n";
    else if (text[next] === "%") isComment = true;
    else if (!SPACES.includes(text[next])) break;
  }
  return next;
}

function token(pattern, text, at) {
  pattern.lastIndex = at;
  if (!pattern.test(text)) throw damaged();
  return pattern.lastIndex;
}

function after(text, sign, at) {
  const end = text.indexOf(sign, at);
  if (end < 0) throw damaged();
  return end + 1;
}

function damaged() {
  return new Malformed("this PDF is damaged");
}
