// JSON-RPC to one node, chosen by whoever runs this. Answers are capped, timed, and strictly of their form.

import { Unreadable, fromHex } from "./bytes.js";
import { parseJson } from "./strict-json.js";

const TIMEOUT_MILLISECONDS = 15_000;
const MAX_ANSWER_BYTES = 1024 * 1024;

/** The node has no such method. */
export class NoSuchMethod extends Error {}

export class Node {
  #url;
  #next = 1;

  /** @param {string} url of the node */
  constructor(url) {
    this.#url = url;
  }

  /**
   * @returns {Promise<unknown>} the result
   * @throws {Unreadable} no answer, or an error
   * @throws {NoSuchMethod}
   */
  async ask(method, ...params) {
    const answer = await this.#send({ jsonrpc: "2.0", id: this.#next++, method, params });
    const { error, result } = answer;
    if (error != null) {
      if (error.code === -32601 || /not (supported|available|found|exist)|unknown method/i.test(error.message)) {
        throw new NoSuchMethod(method);
      }
      throw new Unreadable(`the node refuses ${method}`);
    }
    return result;
  }

  async #send(body) {
    let text;
    try {
      const response = await fetch(this.#url, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
        credentials: "omit",
        redirect: "error",
        referrerPolicy: "no-referrer",
        signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
      });
      text = await capped(response);
    } catch (error) {
      if (error instanceof Unreadable) throw error;
      throw new Unreadable("the node does not answer, or does not let this page ask it");
    }
    let answer;
    try {
      answer = parseJson(text);
    } catch {
      throw new Unreadable("the node's answer is no JSON");
    }
    const isAnswer = answer !== null && typeof answer === "object" && ("result" in answer || "error" in answer);
    if (!isAnswer || (answer.error != null && typeof answer.error.message !== "string")) {
      throw new Unreadable("the node's answer is no JSON-RPC");
    }
    return answer;
  }

  /** @returns {Promise<number>} */
  async chainId() {
    return quantity(await this.ask("eth_chainId"), "eth_chainId");
  }

  /** @param {number|"latest"|"finalized"} block @returns {Promise<Block|null>} null where there is none */
  async block(block) {
    const tag = typeof block === "number" ? hexadecimal(block) : block;
    const found = await this.ask("eth_getBlockByNumber", tag, false);
    if (found === null || typeof found !== "object") return null;
    return {
      number: quantity(found.number, "a block's number"),
      hash: bytes32(found.hash, "a block's hash"),
      stateRoot: bytes32(found.stateRoot, "a block's stateRoot"),
      timestamp: quantity(found.timestamp, "a block's timestamp"),
    };
  }
}

/** @typedef {{number: number, hash: Uint8Array, stateRoot: Uint8Array, timestamp: number}} Block */

async function capped(response) {
  const reader = response.body.getReader();
  const parts = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > MAX_ANSWER_BYTES) {
      await reader.cancel();
      throw new Unreadable("the node's answer is too long");
    }
    parts.push(value);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function hexadecimal(number) {
  return "0x" + number.toString(16);
}

function quantity(text, name) {
  if (typeof text !== "string" || !/^0x[0-9a-fA-F]{1,14}$/.test(text)) {
    throw new Unreadable(`the node's answer has no ${name}`);
  }
  return parseInt(text, 16);
}

function bytes32(text, name) {
  try {
    return fromHex(text, 32, name);
  } catch {
    throw new Unreadable(`the node's answer has no ${name}`);
  }
}
