/** Bodies are bounded and typed before they are parsed (SEC-2, RF-30). */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BODY_MAX_BYTES, PARAMETERS_MAX } from "../../../shared/core/limits.ts";
import { collect, readForm, readJsonObject, safeName } from "../../../shared/http/read-body.ts";
import { FORM_TYPE, form, incoming, posted, refusal } from "./support/incoming.ts";

const TYPES: readonly (readonly [type: string | undefined, encoding: string | undefined, ok: boolean])[] = [
  ["TYPE", undefined, true],
  ["TYPE; charset=utf-8", undefined, true],
  ["TYPE;charset=UTF-8", undefined, true],
  ['TYPE; charset="utf-8"', undefined, true],
  ["TYPE ; boundary=x; charset=utf-8", undefined, true],
  ["TYPE", "identity", true],
  ["TYPE; charset=utf-16", undefined, false],
  ["TYPE; charset=iso-8859-1", undefined, false],
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

describe("media type: one, in UTF-8, uncompressed (SEC-2)", () => {
  test.each(TYPES)("form as %s, encoding %s: %s", async (type, encoding, ok) => {
    const read = await readForm(incoming({ headers: headersOf(FORM_TYPE, type, encoding), body: "a=b" }), []);
    expect(refusal(read)).toBe(ok ? undefined : "media_type_unsupported");
  });

  test.each(TYPES)("JSON as %s, encoding %s: %s", async (type, encoding, ok) => {
    const headers = headersOf("application/json", type, encoding);
    const read = await readJsonObject(incoming({ headers, body: '{"a":1}' }));
    expect(refusal(read)).toBe(ok ? undefined : "media_type_unsupported");
  });

  test("the media type in any letters", async () => {
    const request = incoming({ headers: { "content-type": "Application/X-WWW-Form-Urlencoded" }, body: "a=b" });
    expect(refusal(await readForm(request, []))).toBeUndefined();
  });

  test("the refusal says what is expected", async () => {
    expect(await readForm(posted({}), [])).toEqual({
      ok: false,
      failure: { kind: "media_type_unsupported", expected: FORM_TYPE },
    });
  });
});

describe("size", () => {
  const fitting = `a=${"x".repeat(BODY_MAX_BYTES - 2)}`;

  test("as large as allowed", async () => {
    expect(refusal(await readForm(form(fitting), []))).toBeUndefined();
  });

  test("one byte more, without a content-length (chunked)", async () => {
    expect(await readForm(form(`${fitting}x`), [])).toEqual({
      ok: false,
      failure: { kind: "request_too_large", limitBytes: BODY_MAX_BYTES },
    });
  });

  test("bytes are counted, not characters", async () => {
    expect(refusal(await readJsonObject(posted(JSON.stringify({ a: "ö".repeat(BODY_MAX_BYTES / 2) }))))).toBe(
      "request_too_large",
    );
  });

  test("what the header announces is refused unread", async () => {
    const unread = {
      ...form("a=b", { "content-length": String(BODY_MAX_BYTES + 1) }),
      arrayBuffer: () => Promise.reject(new Error("read")),
    };
    expect(refusal(await readForm(unread, []))).toBe("request_too_large");
  });

  test.each(["nonsense", "-1", ""])("a content-length of %j decides nothing", async (length) => {
    expect(refusal(await readForm(form("a=b", { "content-length": length }), []))).toBeUndefined();
  });
});

describe("a body that was announced and did not arrive", () => {
  test.each<[string, Record<string, string>, string | undefined]>([
    ["in chunks", { "transfer-encoding": "chunked" }, "request_invalid body_missing"],
    ["with a length", { "content-length": "7" }, "request_invalid body_missing"],
    ["of no length", { "content-length": "0" }, undefined],
    ["never announced", {}, undefined],
  ])("%s", async (_name, headers, outcome) => {
    expect(refusal(await readJsonObject(incoming({ headers, body: new Uint8Array() })))).toBe(outcome);
    const typed = { "content-type": FORM_TYPE, ...headers };
    expect(refusal(await readForm(incoming({ headers: typed, body: new Uint8Array() }), []))).toBe(outcome);
  });
});

describe("text", () => {
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

describe("parameters", () => {
  test(`${PARAMETERS_MAX} are read, one more is too many, empty or not`, async () => {
    const many = (count: number, value: string) =>
      form(Array.from({ length: count }, (_, index) => [`p${index}`, value] as const));
    expect(refusal(await readForm(many(PARAMETERS_MAX, "x"), []))).toBeUndefined();
    expect(refusal(await readForm(many(PARAMETERS_MAX + 1, "x"), []))).toBe("request_invalid too_many_parameters");
    expect(refusal(await readForm(many(PARAMETERS_MAX + 1, ""), []))).toBe("request_invalid too_many_parameters");
  });

  test("RF-30: a repeat is refused and named", async () => {
    expect(refusal(await readForm(form("scope=a&scope=a"), []))).toBe("request_invalid parameter_repeated scope");
  });

  test("RF-22: what may repeat keeps its order", async () => {
    const read = await readForm(form("resource=b&resource=a"), ["resource"]);
    expect(read.ok && read.value.get("resource")).toEqual(["b", "a"]);
  });

  test("RF-30: an empty value is as if it were not there", async () => {
    const read = await readForm(form("scope=&scope=a&claims=&claims="), []);
    expect(read.ok && [...read.value]).toEqual([["scope", ["a"]]]);
  });

  test("SEC-2: array syntax is another name", async () => {
    const read = await readForm(form("scope[]=a"), []);
    expect(read.ok && read.value.has("scope")).toBe(false);
  });

  test("SEC-2: no name reaches a prototype", async () => {
    const read = await readForm(form("__proto__=a&constructor=b&toString=c"), []);
    expect(read.ok && [...read.value.keys()]).toEqual(["__proto__", "constructor", "toString"]);
    expect(({} as Record<string, unknown>)["a"]).toBeUndefined();
  });

  test("SEC-3: a repeated name that is not plain is not told back", async () => {
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

  test("property: collecting loses and invents nothing", () => {
    const pairs = fc.array(fc.tuple(fc.string(), fc.string()), { maxLength: PARAMETERS_MAX });
    fc.assert(
      fc.property(pairs, (given) => {
        const all = given.map(([name]) => name);
        const read = collect(new URLSearchParams(given), all);
        const kept = read.ok ? [...read.value].flatMap(([name, values]) => values.map((value) => [name, value])) : [];
        const expected = [...new URLSearchParams(given)].filter(([, value]) => value !== "");
        expect(kept.map(String).sort()).toEqual(expected.map(String).sort());
      }),
    );
  });
});

describe("JSON", () => {
  test.each(["", "  ", "\n"])("an empty body (%j) is an empty wish, whatever its type", async (body) => {
    expect(await readJsonObject(incoming({ body }))).toEqual({ ok: true, value: {} });
  });

  test.each(["[]", "null", "7", '"text"', "{", "{'a':1}", "a=b"])("%s is no object", async (body) => {
    expect(refusal(await readJsonObject(posted(body)))).toBe("request_invalid body_not_json");
  });

  test("__proto__ is a member like others, which whoever lists the members sees", async () => {
    const read = await readJsonObject(posted('{"__proto__":{"polluted":true}}'));
    expect(read.ok && Object.keys(read.value)).toEqual(["__proto__"]);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});

test("property: a safe name is plain, whatever was given", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (name) => {
      expect(safeName(name)).toMatch(/^[\w.-]{1,64}$|^a parameter$/);
    }),
  );
});
