/**
 * Writes the ASN.1 DER values that a certificate needs. It does not parse.
 */
export type Der = Buffer<ArrayBuffer>;

export function der(tag: number, ...parts: readonly Uint8Array[]): Der {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, ...lengthOf(content.length)]), content]);
}

export const sequence = (...parts: readonly Uint8Array[]) => der(0x30, ...parts);
export const set = (...parts: readonly Uint8Array[]) => der(0x31, ...parts);
export const octets = (content: Uint8Array) => der(0x04, content);
export const bits = (unused: number, content: Uint8Array) => der(0x03, Buffer.from([unused]), content);
export const boolean = (value: boolean) => der(0x01, Buffer.from([value ? 0xff : 0]));
export const utf8 = (text: string) => der(0x0c, Buffer.from(text, "utf8"));
/** Explicit or constructed context tag. */
export const tagged = (tag: number, ...parts: readonly Uint8Array[]) => der(0xa0 | tag, ...parts);
/** Implicit context tag over primitive content. */
export const implicit = (tag: number, content: Uint8Array) => der(0x80 | tag, content);

/** Positive integers from big-endian bytes. */
export function integer(bytes: Uint8Array): Der {
  return (bytes[0] ?? 0) < 0x80 ? der(0x02, bytes) : der(0x02, Buffer.from([0]), bytes);
}

export function objectId(dotted: string): Der {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return der(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** UTCTime, valid until 2049. */
export function utcTime(time: Date): Der {
  const digits = time.toISOString().replace(/[-:T]/g, "").slice(2, 14);
  return der(0x17, Buffer.from(`${digits}Z`, "ascii"));
}

// ---------------------------------------------------------------------------------------------------------------

function lengthOf(size: number): number[] {
  if (size < 0x80) return [size];
  return size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
}

function base128(value: number): number[] {
  const groups = [value & 0x7f];
  for (let rest = value >> 7; rest > 0; rest >>= 7) {
    groups.unshift((rest & 0x7f) | 0x80);
  }
  return groups;
}
