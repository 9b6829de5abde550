import { beforeEach, describe, expect, test } from "vitest";
import { fail, type Result, succeed } from "../../../shared/core/result.ts";
import { SecretValue } from "../../../shared/core/secret-value.ts";
import type { OutboundFailure, OutboundRequest } from "../../../shared/outbound/outbound.ts";
import { createOtlpSender, type ExportChange, type OtlpSender } from "../../../shared/telemetry/otlp-sender.ts";

const BODY = Buffer.from('{"resourceSpans":[]}');

let sent: OutboundRequest[];
let changes: ExportChange[];
let answer: number | OutboundFailure | Error;
let secret: Result<SecretValue, { kind: string }>;
let reads: number;
beforeEach(() => {
  sent = [];
  changes = [];
  answer = 200;
  reads = 0;
  secret = succeed(new SecretValue("api-key=k1, X-Tenant = a%20b%3D"));
});

const readHeaders = async () => {
  reads += 1;
  return secret;
};

function sender(withHeaders: boolean, endpoint = "https://otlp.example/base/"): OtlpSender {
  return createOtlpSender({
    endpoint,
    headers: withHeaders ? readHeaders : undefined,
    outbound: {
      async send(request) {
        sent.push(request);
        if (answer instanceof Error) throw answer;
        return typeof answer === "number" ? succeed({ status: answer, headers: {}, body: "{}" }) : fail(answer);
      },
    },
    onChange: (change) => changes.push(change),
  });
}

describe("failing exports are reported once", () => {
  test.each([
    [{ kind: "timeout" } as const, "timeout"],
    [{ kind: "network", code: "ECONNREFUSED" } as const, "network"],
    [503, "status_503"],
    [302, "status_302"],
    [new Error("secret text"), "unexpected"],
  ])("after %j, and the recovery is reported once, too", async (failure, reason) => {
    const otlp = sender(false);
    expect(await otlp.send("traces", BODY)).toBe(true);
    answer = failure;
    expect(await otlp.send("traces", BODY)).toBe(false);
    expect(await otlp.send("metrics", BODY)).toBe(false);
    expect(changes).toEqual([{ name: "export_failed", reason }]);
    answer = 200;
    expect(await otlp.send("metrics", BODY)).toBe(true);
    expect(changes).toEqual([{ name: "export_failed", reason }, { name: "export_recovered" }]);
  });

  test("if the vault refuses the headers, and no request is sent", async () => {
    secret = fail({ kind: "vault_refused" });
    const otlp = sender(true);
    expect(await otlp.send("traces", BODY)).toBe(false);
    expect(sent).toEqual([]);
    expect(changes).toEqual([{ name: "export_failed", reason: "vault_refused" }]);
    secret = succeed(new SecretValue("api-key=k1"));
    expect(await otlp.send("traces", BODY)).toBe(true);
  });

  test.each(["no headers", "name", "=value", "a=%zz", "a=line%0Abreak", "a b=c", "a=", "ä=b"])(
    "for the malformed headers %j, and no request is sent",
    async (text) => {
      secret = succeed(new SecretValue(text));
      expect(await sender(true).send("traces", BODY)).toBe(false);
      expect(sent).toEqual([]);
      expect(changes).toEqual([{ name: "export_failed", reason: "headers_malformed" }]);
    },
  );
});

test("an export is a POST of JSON to the path of the signal, with a deadline and a size limit", async () => {
  const otlp = sender(false);
  await otlp.send("traces", BODY);
  await otlp.send("metrics", undefined);
  expect(sent).toEqual([
    {
      method: "POST",
      url: "https://otlp.example/base/v1/traces",
      headers: { "content-type": "application/json" },
      body: '{"resourceSpans":[]}',
      deadlineMs: 5_000,
      maxBytes: 65_536,
    },
    expect.objectContaining({ url: "https://otlp.example/base/v1/metrics", body: "" }),
  ]);
});

test("the headers are read from the vault once, and again after the endpoint refused them", async () => {
  const otlp = sender(true);
  await otlp.send("traces", BODY);
  await otlp.send("traces", BODY);
  expect(reads).toBe(1);
  expect(sent[1]?.headers).toEqual({ "api-key": "k1", "x-tenant": "a b=", "content-type": "application/json" });
  answer = 401;
  secret = succeed(new SecretValue("api-key=k2"));
  await otlp.send("traces", BODY);
  answer = 200;
  await otlp.send("traces", BODY);
  expect(reads).toBe(2);
  expect(sent.at(-1)?.headers).toEqual({ "api-key": "k2", "content-type": "application/json" });
});
