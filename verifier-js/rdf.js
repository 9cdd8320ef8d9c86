// The canonical N-Quads of a JSON-LD document: RDF Dataset Canonicalization (RDFC-1.0) over what jsonld.js
// makes of it. Contexts come from the module beside this one; nothing is fetched. Loaded only when a document
// needs it, since jsonld.js is large.

import jsonld from "./vendor/jsonld/jsonld.js";
import { Malformed } from "./bytes.js";
import { CONTEXTS } from "./contexts.js";

const TIMEOUT_MILLISECONDS = 5_000;
const MAX_BLANK_NODES = 200;

/** A document names a context that is not bundled; whether it was changed cannot be told. */
export class UnknownContext extends Error {}

async function load(address) {
  if (!Object.hasOwn(CONTEXTS, address)) throw new UnknownContext(`the context ${address} is not bundled`);
  return { contextUrl: null, documentUrl: address, document: CONTEXTS[address] };
}

/**
 * @param {object} document without its proofs
 * @returns {Promise<string>} canonical N-Quads
 * @throws {UnknownContext}
 * @throws {Malformed} it would lose data, or is too entangled
 */
export async function canonicalQuads(document) {
  const plain = JSON.parse(JSON.stringify(document)); // jsonld.js wants objects with a prototype
  refuseOtherContexts(plain);
  try {
    return await jsonld.canonize(plain, {
      algorithm: "RDFC-1.0",
      format: "application/n-quads",
      documentLoader: load,
      safe: true,
      maxWorkFactor: 2,
      signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
    });
  } catch (error) {
    const cause = [error, error?.cause, error?.details?.cause].find((one) => one instanceof UnknownContext);
    if (cause) throw cause;
    throw new Malformed("the document is no JSON-LD that keeps every word of it");
  }
}

/** Contexts that a document brings along could give its words any meaning. */
function refuseOtherContexts(document) {
  let nodes = 0;
  const look = (value, isTop) => {
    if (Array.isArray(value)) return value.forEach((one) => look(one, false));
    if (value === null || typeof value !== "object") return;
    if (++nodes > 10_000) throw new Malformed("the document is too large");
    if (!("id" in value || "@id" in value) && ++look.blank > MAX_BLANK_NODES * 10) {
      throw new Malformed("the document has too many parts without an id");
    }
    for (const [name, inner] of Object.entries(value)) {
      if (name === "@context") {
        const all = Array.isArray(inner) ? inner : [inner];
        if (!isTop || !all.every((one) => typeof one === "string")) {
          throw new UnknownContext("a context stands in the document itself, and such are not used");
        }
      } else {
        look(inner, false);
      }
    }
  };
  look.blank = 0;
  look(document, true);
}
