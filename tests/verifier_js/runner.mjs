// Answers one JSON line for each JSON line: what the verifier's modules make of it.

import { createInterface } from "node:readline";
import { canonical } from "../../verifier-js/jcs.js";
import { Malformed } from "../../verifier-js/bytes.js";
import { readProof, whyNotIncluded } from "../../verifier-js/inclusion.js";
import { contentsOf, parseJson, verify } from "../../verifier-js/verify.js";

const ACTIONS = {
  parse: ({ hex }) => canonical(parseJson(Uint8Array.from(Buffer.from(hex, "hex")))),
  contents: ({ hex }) => contentsOf(Uint8Array.from(Buffer.from(hex, "hex"))),
  inclusion: ({ text }) => whyNotIncluded(readProof(parseJson(text))),
  verify: ({ shown, options }) => {
    const parsed = Object.fromEntries(Object.entries(shown).map(([name, text]) => [name, parseJson(text)]));
    const now = options.now === undefined ? undefined : new Date(options.now);
    return verify(parsed, { ...options, now });
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { action, ...given } = JSON.parse(line);
  let answer;
  try {
    answer = { result: (await ACTIONS[action](given)) ?? null };
  } catch (error) {
    answer = { error: error instanceof Malformed ? "malformed" : String(error.stack), message: error.message };
  }
  console.log(JSON.stringify(answer));
}
