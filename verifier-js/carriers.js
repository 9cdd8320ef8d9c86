// What is inside a file: JSON, a token, a RootmarkProof, a PNG or SVG with an Open Badge baked in (Open Badges 3.0,
// section 5.3), or a PDF that they are attached to. The kind is told by the content, never by the name.

import { Malformed, equal, utf8 } from "./bytes.js";
import { parseJson } from "./strict-json.js";

const MAX_BYTES = 10 * 1024 * 1024;
const PNG = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const KEYWORD = "openbadgecredential";
const PDF = utf8("%PDF-");
const BADGES = "https://purl.imsglobal.org/ob/v3p0";
const TOKEN = /^[\w-]+(?:\.[\w-]*){2}(~[\w.~-]*)?$/;

/**
 * @param {Uint8Array} bytes the whole file
 * @returns {Promise<{proof: object}|{credential: object|string, proof?: object}>} a credential that is text is a token
 * @throws {Malformed} nothing in it can be read here
 */
export async function contentsOf(bytes) {
  if (bytes.length > MAX_BYTES) throw new Malformed("no credential is larger than 10 MB");
  if (beginsWith(bytes, PDF)) return fromPdf(bytes);
  const text = beginsWith(bytes, PNG) ? fromPng(bytes) : new TextDecoder().decode(bytes);
  return contentsOfText(text.trimStart().startsWith("<") ? fromSvg(text) : text);
}

function contentsOfText(text) {
  const trimmed = text.trim();
  const token = TOKEN.exec(trimmed);
  if (token?.[1] !== undefined) throw new Malformed("a token with disclosures (SD-JWT) is not read here");
  if (token !== null) return { credential: trimmed };
  const value = parseJson(trimmed);
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new Malformed("one credential, a JSON object or a token, is expected");
  }
  if (value.type === "RootmarkProof/v1") return { proof: value };
  const isPair = value.type === "RootmarkBundle/v1" || Object.keys(value).sort().join() === "credential,proof";
  if (isPair && value.credential !== null && typeof value.credential === "object") return { credential: value.credential, proof: value.proof };
  return { credential: value };
}

function beginsWith(bytes, start) {
  return equal(bytes.subarray(0, start.length), start);
}

/** Of the files that are attached, those that are a credential or a proof; others mean nothing. */
async function fromPdf(bytes) {
  const { attachedTo } = await import("./pdf.js");
  const found = [];
  for (const attached of await attachedTo(bytes)) {
    const text = new TextDecoder().decode(attached).trim();
    if (TOKEN.test(text) || text.startsWith("{")) found.push(contentsOfText(text));
  }
  const credentials = found.filter(({ credential }) => isCredential(credential));
  const proofs = found.filter(({ credential }) => credential === undefined);
  if (credentials.length === 0) throw new Malformed("the PDF carries no credential");
  if (credentials.length > 1 || proofs.length > 1) throw new Malformed("the PDF carries several credentials");
  return Object.assign({}, ...proofs, ...credentials);
}

function isCredential(value) {
  if (typeof value !== "object") return typeof value === "string";
  return ["@context", "credentialSubject", "id"].some((name) => name in value);
}

/** PNG (third edition), sections 5.3 and 11.3.3.4: one uncompressed iTXt chunk with the keyword. */
function fromPng(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = [];
  for (let at = PNG.length; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    const kind = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (at + 12 + length > bytes.length) throw new Malformed("the PNG is cut off");
    if (kind === "iTXt") found.push(...baked(bytes.subarray(at + 8, at + 8 + length)));
    at += 12 + length;
  }
  if (found.length !== 1) {
    throw new Malformed(found.length ? "the PNG carries several credentials" : "the PNG carries no credential");
  }
  return found[0];
}

function baked(data) {
  const end = data.indexOf(0);
  if (end < 0 || new TextDecoder().decode(data.subarray(0, end)) !== KEYWORD) return [];
  if (data[end + 1] !== 0) throw new Malformed("the PNG's credential is compressed, which badges must not be");
  const language = data.indexOf(0, end + 3);
  const translated = language < 0 ? -1 : data.indexOf(0, language + 1);
  if (translated < 0) throw new Malformed("the PNG's credential is damaged");
  return [new TextDecoder("utf-8", { fatal: true }).decode(data.subarray(translated + 1))];
}

function fromSvg(text) {
  if (typeof DOMParser === "undefined") throw new Malformed("an SVG can be read in a browser only");
  if (/<!DOCTYPE|<!ENTITY/i.test(text)) throw new Malformed("an SVG with a DTD is not read");
  const parsed = new DOMParser().parseFromString(text, "image/svg+xml");
  const found = parsed.getElementsByTagNameNS(BADGES, "credential");
  if (found.length !== 1) {
    throw new Malformed(found.length ? "the SVG carries several credentials" : "the SVG carries no credential");
  }
  return found[0].textContent;
}
