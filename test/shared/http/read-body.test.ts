/** Bodies have limits, checked before parsing (SEC-2, RF-30). */
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { BODY_MAX_BYTES, PARAMETERS_MAX } from "../../../shared/core/limits.ts";
import type { IncomingRequest } from "../../../shared/http/incoming-request.ts";
import { collectParameters, readForm, readJsonBody, safeName } from "../../../shared/http/read-body.ts";
import { FORM_TYPE, form, incoming, posted, refusal } from "./support/incoming.ts";

const TYPES: readonly (readonly [type: string | undefined, encoding: string | undefined, ok: boolean])[] = [
  ["TYPE", undefined, true],
  ["TYPE; charset=utf-8", undefined, true],
  ["TYPE;charset=UTF-8", undefined, true],
  ['TYPE; charset="utf-8"', undefined, true],
  ["TYPE ; boundary=x; charset=utf-8", undefined, true],
  ["TYPE", "identity", true],
  ["TYPE; charset=ISO-8859-1", undefined, true],
  ["TYPE; charset=us-ascii", undefined, true],
  ["TYPE; charset=US-ASCII", undefined, true],
  ["TYPE; charset=windows-1252", undefined, true],
  ['TYPE; charset="latin1"', undefined, true],
  ["TYPE; charset=utf8", undefined, true],
  ["TYPE; charset=shift_jis", undefined, true],
  ["TYPE; charset=utf-16", undefined, false],
  ["TYPE; charset=utf-7", undefined, false],
  ["TYPE; charset=", undefined, false],
  ["TYPE; charset=utf-8x", undefined, false],
  ["TYPEx", undefined, false],
  ["text/plain", undefined, false],
  ["multipart/form-data; boundary=x", undefined, false],
  ["", undefined, false],
  [undefined, undefined, false],
  ["TYPE", "gzip", false],
  ["TYPE", "GZIP", false],
  ["TYPE", "identity, gzip", false],
];

function headersOf(essence: string, type: string | undefined, encoding: string | undefined): Record<string, string> {
  return {
    ...(type === undefined ? {} : { "content-type": type.replace("TYPE", essence) }),
    ...(encoding === undefined ? {} : { "content-encoding": encoding }),
  };
}

describe("SEC-2: a body has one media type, its text is the same in UTF-8, and it is uncompressed", () => {
  test.each(TYPES)("a form of type %s with encoding %s is accepted: %s", async (type, encoding, ok) => {
    const read = await readForm(incoming({ headers: headersOf(FORM_TYPE, type, encoding), body: "a=b" }), []);
    expect(refusal(read)).toBe(ok ? undefined : "media_type_unsupported");
  });

  test.each(TYPES)("JSON of type %s with encoding %s is accepted: %s", async (type, encoding, ok) => {
    const headers = headersOf("application/json", type, encoding);
    const read = await readJsonBody(incoming({ headers, body: '{"a":1}' }));
    expect(refusal(read)).toBe(ok ? undefined : "media_type_unsupported");
  });

  test("the media type is not case-sensitive", async () => {
    const request = incoming({ headers: { "content-type": "Application/X-WWW-Form-Urlencoded" }, body: "a=b" });
    expect(refusal(await readForm(request, []))).toBeUndefined();
  });

  test("the refusal names the expected type", async () => {
    expect(await readForm(posted({}), [])).toEqual({
      ok: false,
      failure: { kind: "media_type_unsupported", expected: FORM_TYPE },
    });
  });
});

describe("size of a body", () => {
  const fitting = `a=${"x".repeat(BODY_MAX_BYTES - 2)}`;

  test("the maximum size is accepted", async () => {
    expect(refusal(await readForm(form(fitting), []))).toBeUndefined();
  });

  test("one byte more is refused, without a content-length (chunked)", async () => {
    expect(await readForm(form(`${fitting}x`), [])).toEqual({
      ok: false,
      failure: { kind: "request_too_large", limitBytes: BODY_MAX_BYTES },
    });
  });

  test("the limit counts bytes and not characters", async () => {
    expect(refusal(await readJsonBody(posted(JSON.stringify({ a: "ö".repeat(BODY_MAX_BYTES / 2) }))))).toBe(
      "request_too_large",
    );
  });

  test("a content-length over the limit is refused before the body is read", async () => {
    const unread = {
      ...form("a=b", { "content-length": String(BODY_MAX_BYTES + 1) }),
      arrayBuffer: () => Promise.reject(new Error("read")),
    };
    expect(refusal(await readForm(unread, []))).toBe("request_too_large");
  });

  test.each(["nonsense", "-1", ""])("an invalid content-length %j is ignored", async (length) => {
    expect(refusal(await readForm(form("a=b", { "content-length": length }), []))).toBeUndefined();
  });
});

describe("an empty body, announced or not", () => {
  test.each<[string, Record<string, string>, string | undefined]>([
    ["in chunks", { "transfer-encoding": "chunked" }, "request_invalid body_missing"],
    ["with a length", { "content-length": "7" }, "request_invalid body_missing"],
    ["with the length zero", { "content-length": "0" }, undefined],
    ["without announcement", {}, undefined],
  ])("%s", async (_name, headers, outcome) => {
    expect(refusal(await readJsonBody(incoming({ headers, body: new Uint8Array() })))).toBe(outcome);
    const typed = { "content-type": FORM_TYPE, ...headers };
    expect(refusal(await readForm(incoming({ headers: typed, body: new Uint8Array() }), []))).toBe(outcome);
  });
});

describe("a body with bytes that are not ASCII", () => {
  const UMLAUT = Buffer.from('{"a":"\u00f6"}');
  const LATIN = Buffer.from('{"a":"\u00f6"}', "latin1");

  test.each<[string, Uint8Array, string | undefined]>([
    ["utf-8", UMLAUT, undefined],
    ["utf8", UMLAUT, undefined],
    ["iso-8859-1", UMLAUT, "media_type_unsupported"],
    ["us-ascii", UMLAUT, "media_type_unsupported"],
    ["iso-8859-1", LATIN, "request_invalid body_not_utf8"],
    ["utf-8", LATIN, "request_invalid body_not_utf8"],
  ])("labeled %s", async (charset, body, outcome) => {
    for (const [type, read] of [
      [FORM_TYPE, (request: IncomingRequest) => readForm(request, [])],
      ["application/json", readJsonBody],
    ] as const) {
      const headers = { "content-type": `${type}; charset=${charset}` };
      expect(refusal(await read(incoming({ headers, body })))).toBe(outcome);
    }
  });

  test("percent-encoded characters are not bytes of the body, so any label is accepted", async () => {
    const headers = { "content-type": `${FORM_TYPE}; charset=ISO-8859-1` };
    const read = await readForm(incoming({ headers, body: "state=%C3%B6" }), []);
    expect(read.ok && read.value.get("state")).toEqual(["\u00f6"]);
  });

  test("property: a body that is accepted with a label is the same text without it", async () => {
    const labels = fc.constantFrom("iso-8859-1", "utf-16", "us-ascii", "iso-2022-jp", "gbk", "koi8-r", "x", "utf-8");
    await fc.assert(
      fc.asyncProperty(labels, fc.string({ unit: "binary" }), async (charset, text) => {
        const body = JSON.stringify({ text });
        const labeled = await readJsonBody(
          incoming({ headers: { "content-type": `application/json; charset=${charset}` }, body }),
        );
        if (labeled.ok) expect(labeled).toEqual(await readJsonBody(posted(body)));
      }),
    );
  });
});

describe("text of a body", () => {
  test.each([
    ["a lone continuation byte", [0x61, 0x3d, 0x80]],
    ["Latin-1", [0x61, 0x3d, 0xf6]],
    ["a surrogate in UTF-8", [0x61, 0x3d, 0xed, 0xa0, 0x80]],
    ["UTF-16", [0xff, 0xfe, 0x61, 0x00]],
  ])("%s is not UTF-8", async (_name, bytes) => {
    const body = Uint8Array.from(bytes);
    expect(refusal(await readForm(incoming({ headers: { "content-type": FORM_TYPE }, body }), []))).toBe(
      "request_invalid body_not_utf8",
    );
  });
});

describe("parameters of a form", () => {
  test(`${PARAMETERS_MAX} are accepted, and one more is refused, even if it is empty`, async () => {
    const many = (count: number, value: string) =>
      form(Array.from({ length: count }, (_, index) => [`p${index}`, value] as const));
    expect(refusal(await readForm(many(PARAMETERS_MAX, "x"), []))).toBeUndefined();
    expect(refusal(await readForm(many(PARAMETERS_MAX + 1, "x"), []))).toBe("request_invalid too_many_parameters");
    expect(refusal(await readForm(many(PARAMETERS_MAX + 1, ""), []))).toBe("request_invalid too_many_parameters");
  });

  test("64 KB of separators are refused, and not parsed", async () => {
    const request = form("a&".repeat(32_700));
    const parse = vi.spyOn(globalThis, "URLSearchParams");
    expect(refusal(await readForm(request, []))).toBe("request_invalid too_many_parameters");
    expect(parse).not.toHaveBeenCalled();
    parse.mockRestore();
  });

  test("RF-30: a repeated parameter is refused and named", async () => {
    expect(refusal(await readForm(form("scope=a&scope=a"), []))).toBe("request_invalid parameter_repeated scope");
  });

  test("RF-22: a repeatable parameter keeps the order of its values", async () => {
    const read = await readForm(form("resource=b&resource=a"), ["resource"]);
    expect(read.ok && read.value.get("resource")).toEqual(["b", "a"]);
  });

  test("RF-30: an empty parameter counts as absent", async () => {
    const read = await readForm(form("scope=&scope=a&claims=&claims="), []);
    expect(read.ok && [...read.value]).toEqual([["scope", ["a"]]]);
  });

  test("SEC-2: array syntax is a different parameter name", async () => {
    const read = await readForm(form("scope[]=a"), []);
    expect(read.ok && read.value.has("scope")).toBe(false);
  });

  test("SEC-2: no parameter name reaches a prototype", async () => {
    const read = await readForm(form("__proto__=a&constructor=b&toString=c"), []);
    expect(read.ok && [...read.value.keys()]).toEqual(["__proto__", "constructor", "toString"]);
    expect(({} as Record<string, unknown>)["a"]).toBeUndefined();
  });

  test("SEC-3: the refusal does not contain a repeated name with special characters", async () => {
    const name = 'a"\r\nb';
    const read = await readForm(
      form([
        [name, "1"],
        [name, "2"],
      ]),
      [],
    );
    expect(refusal(read)).toBe("request_invalid parameter_repeated a parameter");
  });

  test("property: grouping loses and adds no parameter", () => {
    const pairs = fc.array(fc.tuple(fc.string(), fc.string()), { maxLength: PARAMETERS_MAX });
    fc.assert(
      fc.property(pairs, (given) => {
        const all = given.map(([name]) => name);
        const read = collectParameters(new URLSearchParams(given), all);
        const collected = read.ok
          ? [...read.value].flatMap(([name, values]) => values.map((value) => [name, value]))
          : [];
        const expected = [...new URLSearchParams(given)].filter(([, value]) => value !== "");
        expect(collected.map(String).sort()).toEqual(expected.map(String).sort());
      }),
    );
  });
});

describe("a JSON body", () => {
  test("a byte order mark, as Windows PowerShell writes it, is not part of the JSON", async () => {
    const body = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from('{"a":1}')]);
    expect(await readJsonBody(incoming({ headers: { "content-type": "application/json" }, body }))).toEqual({
      ok: true,
      value: { a: 1 },
    });
  });

  test.each(["", "  ", "\n"])("an empty body (%j) is an empty object, with any content type", async (body) => {
    expect(await readJsonBody(incoming({ body }))).toEqual({ ok: true, value: {} });
  });

  test.each(["[]", "null", "7", '"text"', "{", "{'a':1}", "a=b"])("%s is not an object", async (body) => {
    expect(refusal(await readJsonBody(posted(body)))).toBe("request_invalid body_not_json");
  });

  test("the member __proto__ is an ordinary member and appears in a list of the members", async () => {
    const read = await readJsonBody(posted('{"__proto__":{"polluted":true}}'));
    expect(read.ok && Object.keys(read.value)).toEqual(["__proto__"]);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});

test("property: a safe name never has special characters", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (name) => {
      expect(safeName(name)).toMatch(/^[\w.-]{1,100}$|^a parameter$/);
    }),
  );
});
