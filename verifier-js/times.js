// Times as credentials and reports write them.

import { Malformed } from "./bytes.js";

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i;
const LAST_SECOND = 253402300799; // of the year 9999

/** @param {string} text RFC 3339 @returns {Date} */
export function parseTime(text) {
  if (typeof text !== "string" || !TIME.test(text) || Number.isNaN(Date.parse(text))) {
    throw new Malformed("a date is not one of RFC 3339");
  }
  return new Date(text);
}

/** @param {number} seconds since 1970, as the chain counts @returns {string} */
export function timeText(seconds) {
  return new Date(Math.min(seconds, LAST_SECOND) * 1000).toISOString().replace(".000Z", "Z");
}
