/**
 * Values while a template is read. What Azure only knows once something is deployed (a host name, a principal id)
 * stays a name of itself, so that a test can follow it from the module that makes it to the setting that carries it.
 */
export class Runtime {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  toString(): string {
    return `«${this.path}»`;
  }
}

export interface ResourceReference {
  readonly kind: "resource";
  /** Module path and symbol, for example `storage/account`. */
  readonly path: string;
  readonly type: string;
  readonly apiVersion: string;
  readonly id: () => string;
  readonly name: () => string;
  readonly body: () => Readonly<Record<string, unknown>>;
  readonly children: ReadonlyMap<string, () => unknown>;
}

export interface ModuleReference {
  readonly kind: "module";
  readonly outputs: Readonly<Record<string, unknown>>;
}

export type Closure = (...args: readonly unknown[]) => unknown;

export function isResource(value: unknown): value is ResourceReference {
  return isRecord(value) && value["kind"] === "resource" && typeof value["id"] === "function";
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Runtime);
}

/** As it would stand in JSON: references become ids, runtime values their names, null properties vanish. */
export function toJson(value: unknown): unknown {
  if (value instanceof Runtime) {
    return value.toString();
  }
  if (isResource(value)) {
    return value.id();
  }
  if (Array.isArray(value)) {
    return value.map(toJson);
  }
  if (isRecord(value)) {
    const members = Object.entries(value).filter(([, member]) => member !== null && member !== undefined);
    return Object.fromEntries(members.map(([key, member]) => [key, toJson(member)]));
  }
  return value;
}
