/** The sealed handle opens for its own row only, without a look at the sealed refresh token. */
import { describe, expect, it } from "vitest";
import type { Grant } from "../../../shared/core/grant.ts";
import { newHandle } from "../../../shared/grants/grant-handle.ts";
import { UNUSED } from "../../../shared/grants/new-grant.ts";
import { GRANT_PURPOSE } from "../../../shared/grants/sealed-grant.ts";
import { HANDLE_PURPOSE, sealHandle, unsealHandle } from "../../../shared/grants/sealed-handle.ts";
import { EPOCH_MS, expectOk, fakeKeySource, grantRequest, testSealer } from "./support/fixtures.ts";

const source = fakeKeySource();
const sealer = testSealer(source, HANDLE_PURPOSE);

async function sealedRow(changes: Partial<Grant> = {}) {
  const handle = newHandle();
  const { refreshToken: _, maxDays: _days, ...record } = grantRequest();
  const times = {
    createdAtSeconds: EPOCH_MS / 1000,
    allowedAtSeconds: EPOCH_MS / 1000,
    expiresAtSeconds: 2_000_000_000,
  };
  const grant: Grant = { id: handle.id, ...record, ...times, ...UNUSED };
  const sealedHandle = expectOk(await sealHandle(sealer, handle, grant));
  return { handle, stored: { grant: { ...grant, ...changes }, sealed: "sealed", sealedHandle, etag: "1" } };
}

const broken = (problem: string) => ({ ok: false, failure: { kind: "seal_broken", problem } });

describe("a sealed handle", () => {
  it("opens for its row, and for what changes in it", async () => {
    const { handle, stored } = await sealedRow({ lastRenewedAtSeconds: 1, deadSinceSeconds: 2 });
    expect(expectOk(await unsealHandle(sealer, stored))?.secret.reveal()).toBe(handle.secret.reveal());
  });

  it("is missing in a row without the column", async () => {
    const { stored } = await sealedRow();
    expect(await unsealHandle(sealer, { ...stored, sealedHandle: undefined })).toEqual({ ok: true, value: undefined });
  });

  it("of another row does not open, although both records are the same otherwise", async () => {
    const [one, other] = [await sealedRow(), await sealedRow()];
    const swapped = { ...one.stored, sealedHandle: other.stored.sealedHandle };
    expect(await unsealHandle(sealer, swapped)).toEqual(broken("row"));
  });

  it.each<[string, Partial<Grant>]>([
    ["another end", { expiresAtSeconds: 2_000_000_001 }],
    ["another policy entry", { policyEntry: "other" }],
    ["another asker", { requestedBy: { clientId: "x", userObjectId: "y" } }],
  ])("does not open a row with %s", async (_title, change) => {
    expect(await unsealHandle(sealer, (await sealedRow(change)).stored)).toEqual(broken("row"));
  });

  it("sealed for another purpose does not open", async () => {
    const { stored } = await sealedRow();
    const foreign = expectOk(await testSealer(source, GRANT_PURPOSE).seal("text"));
    expect(await unsealHandle(sealer, { ...stored, sealedHandle: foreign })).toEqual(broken("form"));
  });

  it("with another text inside does not open", async () => {
    const { stored } = await sealedRow();
    for (const text of ["[]", "not json", '{"handle":"gte_x","record":""}']) {
      const sealedHandle = expectOk(await sealer.seal(text));
      expect(await unsealHandle(sealer, { ...stored, sealedHandle })).toEqual(broken("row"));
    }
  });
});
