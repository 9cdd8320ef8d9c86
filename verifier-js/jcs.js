// The canonical form of JSON: RFC 8785 (JCS). JavaScript's own serialisation of numbers and texts is the one
// that it asks for (sections 3.2.2.2 and 3.2.2.3); what remains is the order of names, by UTF-16 code units.

/** @param {unknown} value as `parseJson` gives it @returns {string} */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const members = Object.keys(value).sort();
    return `{${members.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
  }
  return JSON.stringify(value);
}
