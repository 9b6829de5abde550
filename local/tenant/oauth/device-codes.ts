/**
 * Device codes (RFC 8628, https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code). They are valid for
 * fifteen minutes. A user decides once, with the user code, and the client redeems once, with the device code.
 */
import { randomBytes, randomInt } from "node:crypto";
import type { Clock } from "../time/clock.ts";

export interface DeviceCodeRecord {
  readonly deviceCode: string;
  readonly userCode: string;
  readonly clientId: string;
  readonly scope: string;
  readonly claims: string | undefined;
  readonly issuedAtMs: number;
  decision: "pending" | "declined" | { readonly userOid: string; readonly satisfied: readonly string[] };
  redeemed: boolean;
}

export interface DeviceCodes {
  issue(request: Pick<DeviceCodeRecord, "clientId" | "scope" | "claims">): DeviceCodeRecord;
  byDeviceCode(deviceCode: string): DeviceCodeRecord | undefined;
  /** Finds a pending code that has not expired. Ignores case, spaces and hyphens. */
  pendingByUserCode(userCode: string): DeviceCodeRecord | undefined;
  /** All pending codes, oldest first. */
  pending(): DeviceCodeRecord[];
  hasExpired(record: DeviceCodeRecord): boolean;
  /** Deletes all codes and restores the interval. */
  clear(): void;
  /** The interval between polls in the answer. Entra sends 5; tests set a shorter one. */
  intervalSeconds: number;
}

export const DEVICE_CODE_LIFETIME_SECONDS = 900;
export const DEVICE_CODE_INTERVAL_SECONDS = 5;
/** Contains no letters and digits that look similar. */
const USER_CODE_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const USER_CODE_LENGTH = 9;
const MOST_CODES = 1_000;

export function createDeviceCodes(clock: Clock): DeviceCodes {
  const records = new Map<string, DeviceCodeRecord>();
  const hasExpired = ({ issuedAtMs }: DeviceCodeRecord) =>
    clock.nowMs() - issuedAtMs > DEVICE_CODE_LIFETIME_SECONDS * 1000;
  const pending = () => [...records.values()].filter((one) => one.decision === "pending" && !hasExpired(one));
  const codes: DeviceCodes = {
    intervalSeconds: DEVICE_CODE_INTERVAL_SECONDS,
    issue: (request) => {
      const deviceCode = randomBytes(64).toString("base64url");
      const record: DeviceCodeRecord = {
        ...request,
        deviceCode,
        userCode: newUserCode(),
        issuedAtMs: clock.nowMs(),
        decision: "pending",
        redeemed: false,
      };
      records.set(deviceCode, record);
      const [oldest] = records.keys();
      if (records.size > MOST_CODES && oldest !== undefined) records.delete(oldest);
      return record;
    },
    byDeviceCode: (deviceCode) => records.get(deviceCode),
    pendingByUserCode: (userCode) => {
      const wanted = userCode.replace(/[\s-]/g, "").toUpperCase();
      return pending().find((one) => one.userCode === wanted);
    },
    pending,
    hasExpired,
    clear: () => {
      records.clear();
      codes.intervalSeconds = DEVICE_CODE_INTERVAL_SECONDS;
    },
  };
  return codes;
}

function newUserCode(): string {
  const letter = () => USER_CODE_ALPHABET[randomInt(USER_CODE_ALPHABET.length)] ?? "A";
  return Array.from({ length: USER_CODE_LENGTH }, letter).join("");
}
