/** The grant store as in Azure: over https, with tokens of the service's identity instead of a key. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLocalTls } from "../../../local/tls/local-tls.ts";
import { openGrantTable } from "../../../shared/grants/grant-table.ts";
import { createGrants } from "../../../shared/grants/grants.ts";
import type { TableIdentity } from "../../../shared/grants/table-client.ts";
import { createTableGrantStore } from "../../../shared/grants/table-grant-store.ts";
import { type SecureAzurite, startSecureAzurite } from "./support/azurite.ts";
import { EPOCH_MS, expectOk, grantRequest, testSealers, userCaller } from "./support/fixtures.ts";

let azurite: SecureAzurite;
let folder: string;

beforeAll(async () => {
  const { caPem, serverCertPem, serverKeyPem } = createLocalTls();
  setDefaultCACertificates([...getCACertificates("default"), caPem]);
  folder = await mkdtemp(join(tmpdir(), "grants-"));
  const [certificateFile, keyFile] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  await writeFile(certificateFile, serverCertPem);
  await writeFile(keyFile, serverKeyPem);
  azurite = await startSecureAzurite({ certificateFile, keyFile, folder });
});
afterAll(async () => {
  await azurite.stop();
  await rm(folder, { recursive: true });
});

function identity(audience: string) {
  const scopes: string[] = [];
  const nowSeconds = Math.floor(Date.now() / 1000);
  const claims = {
    aud: audience,
    iss: "https://sts.windows.net/tenant/",
    iat: nowSeconds - 9,
    nbf: nowSeconds - 9,
    exp: nowSeconds + 600,
  };
  const token = [{ alg: "RS256", typ: "JWT" }, claims].map((part) =>
    Buffer.from(JSON.stringify(part)).toString("base64url"),
  );
  const getToken: TableIdentity["getToken"] = async (requested) => {
    scopes.push(...[requested].flat());
    return { token: `${token.join(".")}.c2lnbmF0dXJl`, expiresOnTimestamp: (nowSeconds + 600) * 1000 };
  };
  return { scopes, getToken };
}

const open = (who: TableIdentity, deadlineMs = 20_000) =>
  createTableGrantStore(
    openGrantTable({
      cloudName: "public",
      tableEndpoint: azurite.endpoint,
      tableName: "grants",
      identity: who,
      deadlineMs,
    }),
  );

describe("the grant table with the service's identity", () => {
  it("stores a grant with a token for Azure Storage", async () => {
    const who = identity("https://storage.azure.com");
    const grants = createGrants({ store: open(who), ...testSealers(), now: () => EPOCH_MS });
    const { handle } = expectOk(await grants.create(grantRequest()));
    expect(expectOk(await grants.open(handle, userCaller)).refreshToken.reveal()).toBe("1.AVerySecretRefreshToken-one");
    expect(new Set(who.scopes)).toEqual(new Set(["https://storage.azure.com/.default"]));
  });

  it("is refused with a token for another resource", async () => {
    const refused = await open(identity("https://vault.azure.net")).check();
    expect(refused).toMatchObject({ ok: false, failure: { kind: "store_refused" } });
  });

  it("fails with a code if the identity returns no token, and at the deadline if it never answers", async () => {
    const broken = Object.assign(new Error("message"), { name: "CredentialUnavailableError" });
    expect(await open({ getToken: () => Promise.reject(broken) }).check()).toEqual({
      ok: false,
      failure: { kind: "store_unavailable", code: "CredentialUnavailableError" },
    });
    expect(await open({ getToken: () => new Promise(() => undefined) }, 100).check()).toEqual({
      ok: false,
      failure: { kind: "store_timeout" },
    });
  });
});
