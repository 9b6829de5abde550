/**
 * Holds a token, secret or key so that it cannot be printed by accident: string conversion, JSON and `util.inspect`
 * give `[redacted]`, and property enumeration finds nothing. Only `reveal()` returns the value, and it is easy to
 * search for.
 */
const REDACTED = "[redacted]";

export class SecretValue {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value. Call this only where the value leaves the process on purpose: a call to Entra, a response. */
  reveal(): string {
    return this.#value;
  }

  /** Length in UTF-16 code units, to enforce a limit without revealing the value. */
  get length(): number {
    return this.#value.length;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return REDACTED;
  }
}
