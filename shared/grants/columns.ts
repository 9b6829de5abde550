/** The columns of the table's rows, and strict reading of them: a reader throws for what the service did not write. */

export interface RowKeys {
  readonly partitionKey: string;
  readonly rowKey: string;
}

/** 64-bit column: seconds since 1970 exceed 32 bits in 2038. */
export interface Int64 {
  readonly type: "Int64";
  readonly value: string;
}

export function int64(value: number): Int64 {
  return { type: "Int64", value: String(value) };
}

export function readString(value: unknown): string {
  if (typeof value !== "string" || value === "") throw new TypeError("not a text");
  return value;
}

/** The SDK returns a 64-bit column as a bigint. */
export function readSeconds(value: unknown): number {
  if (typeof value !== "bigint") throw new TypeError("not a 64-bit number");
  return Number(value);
}
