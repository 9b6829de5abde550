import { expect, test } from "vitest";
import { partsOf } from "../../shared/relay/json-spans.ts";
import { rewritePagingLinks } from "../../shared/relay/rewrite-links.ts";

const context = { baseUrl: "https://graph.microsoft.com", relayUrl: "https://service.example/DownstreamApi/graph" };

test("at most 1,000 links of a response are rewritten", () => {
  const link = '{"@odata.nextLink":"https://graph.microsoft.com/v1.0/me/messages?$skip=1"}';
  const body = Buffer.from(`[${Array.from({ length: 3_000 }, () => link).join()}]`);
  const rewritten = rewritePagingLinks(context, body).toString();
  expect(rewritten.split("https://service.example/").length - 1).toBe(1_000);
  expect(rewritten.split("https://graph.microsoft.com/").length - 1).toBe(2_000);
});

test.each([
  ['{"a":1,"b":[1,{"c":"}"}] , "a" : "x\\"]"}', ["a=1", 'b=[1,{"c":"}"}]', 'a="x\\"]"']],
  [" [1 ,[2,3],{}] ", ["=1", "=[2,3]", "={}"]],
  ["{}", []],
  ['{"\\u0061":1}', ["a=1"]],
  ["1", undefined],
  ['{"a":1', undefined],
  ['{"a":1]', undefined],
  ["{a:1}", undefined],
  ["[1,]", undefined],
  ["[1]x", undefined],
  ["[1,2,3,4]", undefined],
])("the parts of %s", (text, parts) => {
  expect(partsOf(text, 3)?.map((part) => `${part.name}=${part.text}`)).toEqual(parts);
});
