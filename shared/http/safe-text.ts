/**
 * The only way in which text from outside gets into a message: values that the authenticated caller sent, and values of
 * its own policy entry. The result has only the characters of RFC 6749 section 5.2 and at most 100 of them. A value
 * with other characters is not shown at all. A value that could be a credential is replaced by its kind, because programs
 * sometimes send a token in the wrong parameter.
 */

const LENGTH_MAX = 100;
const ITEMS_MAX = 20;
/** RFC 6749 section 5.2. */
const ALLOWED = /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/;

/** One value, as it may be in a message. */
export function safeText(value: string): string {
  const kind = credentialKind(value);
  if (kind !== undefined) return kind;
  if (value.length > LENGTH_MAX) return "(a long value)";
  if (value === "") return "(an empty value)";
  return ALLOWED.test(value) ? value : "(a value with forbidden characters)";
}

/** Several values, each once, separated by commas. */
export function safeList(values: readonly string[]): string {
  const shown = [...new Set(values.slice(0, ITEMS_MAX).map(safeText))].join(", ");
  return values.length > ITEMS_MAX ? `${shown} and ${values.length - ITEMS_MAX} more` : shown;
}

// ---------------------------------------------------------------------------------------------------------------

function credentialKind(value: string): string | undefined {
  if (/gte_/i.test(value)) return "(a handle)";
  // The header of every JWT is a JSON object, whose base64url begins with eyJ.
  if (/eyJ/.test(value)) return "(a token)";
  if (value.includes("@")) return "(an address)";
  return looksRandom(value) ? "(a value that looks like a secret)" : undefined;
}

/** Entra's client secrets have `Q~` after four characters. Other secrets mix cases and digits in one long word. */
function looksRandom(value: string): boolean {
  return /\dQ~/.test(value) || value.split(/[./:?&=\s]/).some(isRandomWord);
}

/** Names of permissions and of parameters have few capitals, and no digit together with both cases. */
function isRandomWord(word: string): boolean {
  const capitals = word.match(/[A-Z]/g)?.length ?? 0;
  if (word.length < 16 || capitals === 0 || !/[a-z]/.test(word)) return false;
  return capitals > word.length / 3 || (word.length >= 20 && /\d/.test(word));
}
