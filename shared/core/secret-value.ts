/**
 * Holds a token, secret or key so that it cannot be printed by accident: string conversion, JSON, `util.inspect` and
 * property enumeration all give `[redacted]`. `reveal()` is the one way out and is easy to search for.
 */
const REDACTED = "[redacted]";

export class SecretValue {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The secret itself. Call it only where the value leaves the process on purpose (a request to Entra, an answer). */
  reveal(): string {
    return this.#value;
  }

  /** Length in UTF-16 code units: enough to enforce a limit without revealing the value. */
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
