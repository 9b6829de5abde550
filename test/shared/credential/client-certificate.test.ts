import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { selfSignedCertificate } from "../../../local/tenant/keys/certificate.ts";
import { SecretValue } from "../../../shared/core/secret-value.ts";
import { createClientCertificate, readCertificate } from "../../../shared/credential/client-certificate.ts";
import type { VaultSecret } from "../../../shared/credential/vault.ts";
import { type FakeVersion, fakeVault } from "./support/fake-vault.ts";

const EPOCH_MS = 1_800_000_000_000;
const YEAR_SECONDS = 365 * 86_400;

const rsa = (bits = 2048) => generateKeyPairSync("rsa", { modulusLength: bits }).privateKey;
const keyPem = (key: KeyObject) => key.export({ type: "pkcs8", format: "pem" }).toString();
const certificate = (key: KeyObject, notBeforeMs = EPOCH_MS) =>
  new X509Certificate(selfSignedCertificate(key, notBeforeMs, "graph-token-exchange"));

const key = rsa();
const other = rsa();
const own = certificate(key);
const foreign = certificate(other);
/** In the order of Key Vault: key first, then certificate and chain. */
const PEM = keyPem(key) + own.toString();

function secret(value: string, contentType?: string): VaultSecret {
  return { value: new SecretValue(value), version: "v1", ...(contentType === undefined ? {} : { contentType }) };
}

describe("the secret of a certificate", () => {
  it.each<[string, VaultSecret, string]>([
    ["PKCS #12 with its content type", secret("MIIKPAIBAzCC", "application/x-pkcs12"), "certificate_is_pkcs12"],
    ["PKCS #12 without a content type", secret("MIIKPAIBAzCC"), "certificate_is_pkcs12"],
    ["PEM with the content type of PKCS #12", secret(PEM, "application/x-pkcs12"), "certificate_is_pkcs12"],
    [
      "no key, because it is not exportable",
      secret(own.toString(), "application/x-pem-file"),
      "certificate_key_missing",
    ],
    ["a damaged key", secret(PEM.replace(/KEY-----\nMII/, "KEY-----\nAAA")), "certificate_key_missing"],
    [
      "an encrypted key",
      secret(
        key.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" }).toString() +
          own.toString(),
      ),
      "certificate_key_missing",
    ],
    [
      "an elliptic curve key",
      secret(keyPem(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey) + own.toString()),
      "certificate_key_unsuitable",
    ],
    ["a short RSA key", secret(keyPem(rsa(1024)) + own.toString()), "certificate_key_unsuitable"],
    ["no certificate", secret(keyPem(key)), "certificate_missing"],
    [
      "a damaged certificate",
      secret(PEM.replace(/CERTIFICATE-----\nMII/, "CERTIFICATE-----\nAAA")),
      "certificate_missing",
    ],
    ["a certificate that does not match the key", secret(keyPem(key) + foreign.toString()), "certificate_missing"],
  ])("is refused with its problem code: %s", (_name, value, problem) => {
    expect(readCertificate(value)).toEqual({ ok: false, failure: problem });
  });

  it.each([
    ["key first", PEM],
    ["certificate first", own.toString() + keyPem(key)],
    ["the matching certificate among a chain", keyPem(key) + foreign.toString() + own.toString()],
    [
      "PKCS #1 key, CRLF and bag attributes",
      `Bag Attributes\r\n${key.export({ type: "pkcs1", format: "pem" })}\r\n${own}`.replaceAll("\n", "\r\n"),
    ],
  ])("is accepted as PEM with %s", (_name, text) => {
    const read = readCertificate(secret(text, "application/x-pem-file"));
    if (!read.ok || read.value.credential.kind !== "certificate") throw new Error("not read");
    const { credential, notBeforeSeconds, expiresAtSeconds } = read.value;
    expect(credential.thumbprintSha256).toBe(createHash("sha256").update(own.raw).digest("hex"));
    expect(createPrivateKey(credential.privateKey.reveal()).equals(key)).toBe(true);
    expect(credential.privateKey.reveal()).toMatch(/^-----BEGIN PRIVATE KEY-----/);
    expect([notBeforeSeconds, expiresAtSeconds]).toEqual([EPOCH_MS / 1000, EPOCH_MS / 1000 + 5 * YEAR_SECONDS]);
  });
});

describe("a client certificate", () => {
  function setUp(versions: Readonly<Record<string, FakeVersion>>) {
    const clock = { ms: EPOCH_MS };
    const events: object[] = [];
    const vault = fakeVault(versions);
    const source = createClientCertificate({
      vault,
      name: "client-certificate",
      now: () => clock.ms,
      onEvent: (event) => events.push(event),
    });
    return { clock, events, vault, source };
  }

  it("is returned with its version, and expires with the certificate even if the vault has no date", async () => {
    const { source, clock } = setUp({ v1: { value: PEM } });
    expect(await source.current()).toMatchObject({ ok: true, value: { kind: "certificate", version: "v1" } });
    expect(source.describe()).toMatchObject({ state: "ready", expiresAtSeconds: EPOCH_MS / 1000 + 5 * YEAR_SECONDS });
    clock.ms += 5 * YEAR_SECONDS * 1000;
    expect(await source.current()).toMatchObject({ failure: { kind: "credential_expired", version: "v1" } });
  });

  it("is valid only within the dates of both the vault and the certificate", async () => {
    const expiresAtSeconds = EPOCH_MS / 1000 + 60;
    const { source, clock } = setUp({ v1: { value: PEM, expiresAtSeconds, notBeforeSeconds: 1 } });
    await source.current();
    expect(source.describe()).toMatchObject({ expiresAtSeconds });
    clock.ms = EPOCH_MS - 1_000;
    expect(await source.current()).toMatchObject({ failure: { kind: "credential_not_yet_valid" } });
  });

  it("that cannot be used is a failure with its problem code, also in an event", async () => {
    const { source, events } = setUp({ v1: { value: "MIIK", contentType: "application/x-pkcs12" } });
    expect(await source.current()).toEqual({
      ok: false,
      failure: { kind: "credential_unusable", version: "v1", problem: "certificate_is_pkcs12" },
    });
    expect(events).toContainEqual({
      name: "credential_version_unusable",
      credential: "client-certificate",
      version: "v1",
      reason: "certificate_is_pkcs12",
    });
    expect(events).toContainEqual({
      name: "credential_unavailable",
      credential: "client-certificate",
      reason: "certificate_is_pkcs12",
    });
  });

  it("stays in use in its previous version if a new version cannot be used", async () => {
    const { source, clock, vault } = setUp({ v1: { value: PEM } });
    await source.current();
    vault.versions.set("v2", { value: "MIIK" });
    clock.ms += 5 * 60_000;
    await source.current();
    await new Promise((resolve) => setImmediate(resolve));
    expect(await source.current()).toMatchObject({ value: { version: "v1" } });
    expect(source.describe().state).toBe("stale");
  });

  it("never prints its key", async () => {
    const { source } = setUp({ v1: { value: PEM } });
    const printed = inspect([await source.current(), source], { depth: 12, showHidden: true });
    expect(printed).not.toContain("PRIVATE KEY");
  });
});
