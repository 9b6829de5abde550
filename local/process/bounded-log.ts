/**
 * The last lines of a child process, at most a fixed number. `waitFor` waits for a line, so that tests order themselves by
 * the output of the process instead of sleeping.
 */
import { EventEmitter } from "node:events";

export class BoundedLog {
  readonly #limit: number;
  readonly #lines: string[] = [];
  readonly #added = new EventEmitter().setMaxListeners(0);

  constructor(limit: number) {
    this.#limit = limit;
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  add(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > this.#limit) {
      this.#lines.splice(0, this.#lines.length - this.#limit);
    }
    this.#added.emit("line", line);
  }

  tail(count: number): string {
    return this.#lines.slice(-count).join("\n");
  }

  clear(): void {
    this.#lines.length = 0;
  }

  /** Resolves with the first stored or future line that contains `text`. */
  waitFor(text: string): Promise<string> {
    const known = this.#lines.find((line) => line.includes(text));
    if (known !== undefined) return Promise.resolve(known);
    const { promise, resolve } = Promise.withResolvers<string>();
    const look = (line: string) => {
      if (line.includes(text)) {
        this.#added.off("line", look);
        resolve(line);
      }
    };
    this.#added.on("line", look);
    return promise;
  }
}
