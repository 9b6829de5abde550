/** The relay sends requests to the address of the policy and the cloud, and recognises its own URLs only. */
import { describe, expect, test } from "vitest";
import { baseUrlOf, relativeTo } from "../../shared/relay/base-url.ts";

const GRAPH = "https://graph.microsoft.com";
const api = (resource: string, baseUrl?: string) => ({
  name: "a",
  resource,
  contentType: "application/json",
  scopeDescriptions: {},
  ...(baseUrl === undefined ? {} : { baseUrl }),
});

test.each([
  ["Graph", api(GRAPH), undefined, GRAPH],
  ["Graph in the local tenant", api(GRAPH), "https://localhost:8443/graph", "https://localhost:8443/graph"],
  ["Graph with an address in the policy", api(GRAPH, "https://evil.example"), undefined, GRAPH],
  ["an API by its resource", api("https://orders.example/api"), undefined, "https://orders.example"],
  ["an API by its address", api("api://orders", "https://orders.example/v2"), GRAPH, "https://orders.example/v2"],
])("the address of %s", (_name, of, graphUrl, url) => {
  expect(baseUrlOf(of, graphUrl)).toBe(url);
});

describe("the path of a URL", () => {
  test.each([
    [GRAPH, `${GRAPH}/v1.0/me?$top=1`, "/v1.0/me?$top=1"],
    ["https://orders.example/v2", "https://orders.example/v2/a", "/a"],
    ["https://orders.example/v2", "https://orders.example/v20/a", undefined],
    ["https://orders.example/v2", "https://orders.example/v2", undefined],
    [GRAPH, "https://graph.microsoft.com.evil.example/v1.0/me", undefined],
    [GRAPH, "http://graph.microsoft.com/v1.0/me", undefined],
    [GRAPH, "https://graph.microsoft.com:8443/v1.0/me", undefined],
    [GRAPH, "https://user@graph.microsoft.com/v1.0/me", undefined],
    [GRAPH, "https://:secret@graph.microsoft.com/v1.0/me", undefined],
    [GRAPH, "https://graph.microsoft.com/v1.0/me#x", undefined],
    [GRAPH, "/v1.0/me", undefined],
    [GRAPH, "no URL", undefined],
  ])("below %s: %s", (baseUrl, url, path) => {
    expect(relativeTo(baseUrl, url)).toBe(path);
  });
});
