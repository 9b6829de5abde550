/** What one read of the policy blob sends, and what each answer means. */
import { describe, expect, test } from "vitest";
import { fail, succeed } from "../../../shared/core/result.ts";
import type { OutboundFailure, OutboundRequest, OutboundResponse } from "../../../shared/outbound/outbound.ts";
import { createBlobPolicySource } from "../../../shared/policy-source/blob-policy-source.ts";

const URL = "https://stgtecontoso.blob.core.windows.net/policy/policy.json";

function sourceWith(answer: Partial<OutboundResponse> | OutboundFailure, accessToken = async () => "the-token") {
  const sent: OutboundRequest[] = [];
  const source = createBlobPolicySource({
    url: URL,
    accessToken,
    outbound: {
      async send(request) {
        sent.push(request);
        return "kind" in answer ? fail(answer) : succeed({ status: 200, headers: {}, body: "", ...answer });
      },
    },
  });
  return { source, sent };
}

test("the first read is unconditional and has the identity's token and a version of the API", async () => {
  const { source, sent } = sourceWith({ body: "{}", headers: { etag: '"0x1"' } });
  expect(await source.read(undefined)).toEqual({ ok: true, value: { text: "{}", etag: '"0x1"' } });
  expect(sent).toEqual([
    {
      method: "GET",
      url: URL,
      headers: { authorization: "Bearer the-token", "x-ms-version": "2021-12-02" },
      deadlineMs: 3_000,
      maxBytes: 1_048_576,
    },
  ]);
});

test("a later read names the known version", async () => {
  const { source, sent } = sourceWith({ status: 304 });
  expect(await source.read('"0x1"')).toEqual({ ok: true, value: "unchanged" });
  expect(sent[0]?.headers).toMatchObject({ "if-none-match": '"0x1"' });
});

describe("a read fails", () => {
  test.each([
    [304, "unavailable"],
    [400, "unavailable"],
    [401, "forbidden"],
    [403, "forbidden"],
    [404, "not_found"],
    [409, "unavailable"],
    [429, "throttled"],
    [500, "unavailable"],
    [503, "throttled"],
    [302, "unavailable"],
  ])("with status %i as %s", async (status, reason) => {
    expect(await sourceWith({ status }).source.read(undefined)).toEqual({ ok: false, failure: reason });
  });

  test.each([
    [{ kind: "timeout" }, "timeout"],
    [{ kind: "network", code: "ECONNREFUSED" }, "network"],
    [{ kind: "answer_too_large" }, "too_large"],
  ] as const)("without an answer: %j as %s", async (failure, reason) => {
    expect(await sourceWith(failure).source.read(undefined)).toEqual({ ok: false, failure: reason });
  });

  test("without a token of the identity, and sends nothing", async () => {
    const { source, sent } = sourceWith({}, () => Promise.reject(new Error("no identity")));
    expect(await source.read(undefined)).toEqual({ ok: false, failure: "identity_unavailable" });
    expect(sent).toEqual([]);
  });

  test("if identity and storage together do not answer in time", async () => {
    const source = createBlobPolicySource({
      url: URL,
      accessToken: () => new Promise(() => undefined),
      outbound: { send: () => Promise.reject(new Error("never")) },
      deadlineMs: 5,
    });
    expect(await source.read(undefined)).toEqual({ ok: false, failure: "timeout" });
  });
});
