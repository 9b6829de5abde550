import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readJsonObject, repeatedMembers } from "../../../shared/core/json-object.ts";

const read = (text: string) => readJsonObject(Buffer.from(text));

describe("strict JSON objects", () => {
  it.each([
    ["invalid UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ["overlong UTF-8", Buffer.from([0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x3a, 0x31, 0x7d])],
    ["surrogate in UTF-8", Buffer.from([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d])],
    ["byte order mark", Buffer.from('\ufeff{"a":1}')],
    ["UTF-16", Buffer.from('{"a":1}', "utf16le")],
    ["array", Buffer.from("[]")],
    ["null", Buffer.from("null")],
    ["an empty text", Buffer.alloc(0)],
    ["comment", Buffer.from("{}//")],
  ])("refuses %s", (_what, bytes) => {
    expect(readJsonObject(bytes)).toBeUndefined();
  });

  it.each([
    '{"a":1,"a":1}',
    '{"a":1,"\\u0061":2}',
    '{"a":1,"x":{},"a":2}',
    '{"a":1,"x":{"b":[{}]},"a":2}',
    '{"x":[{"a":1},{"a":1,"a":2}]}',
    '{"x":{"":1,"":2}}',
    '{"__proto__":1,"__proto__":2}',
    '{ "a" : 1 , "a"\n:\t2 }',
    '{"a\\"":1,"a\\"":2}',
  ])("refuses a repeated member name: %s", (text) => {
    expect(read(text)).toBeUndefined();
  });

  it.each([
    '{"a":{"b":1},"b":2}',
    '{"a":[{"b":1},{"b":2}],"b":3}',
    '{"a":"b","b":"a"}',
    '{"a":"{\\"a\\":1,\\"a\\":2}"}',
    '{"a\\\\":":","a":"\\\\"}',
    '{"a":1,"A":2}',
    "{}",
  ])("reads %s as JSON.parse does", (text) => {
    expect(read(text)).toEqual(JSON.parse(text));
  });

  it("property: reads every object that JSON.stringify writes, and refuses it with a repeated member", () => {
    const object = fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue());
    fc.assert(
      fc.property(object, (value) => {
        const text = JSON.stringify(value);
        expect(read(text)).toEqual(JSON.parse(text));
        for (const name of Object.keys(value)) {
          expect(read(`${text.slice(0, -1)},${JSON.stringify(name)}:0}`)).toBeUndefined();
        }
      }),
    );
  });
});

describe("repeated members", () => {
  it.each<[string, string[]]>([
    ['{"a":1,"b":{"a":2}}', []],
    ['{"a":1,"a":2,"a":3}', ["a", "a"]],
    ['{"a":{"b":1,"b":2},"c":[0,[],{"d":[{},{"e":1,"e":2}]}]}', ["a.b", "c.2.d.1.e"]],
    ['{"a,[":{"x":1},"b":[",",{"\\u0062":1,"b":2}]}', ["b.1.b"]],
    ['[{"a":1},{"a":1,"a":1}]', ["1.a"]],
    ['{"":{"":1,"":2}}', ["."]],
    ['"a"', []],
  ])("of %s are %j", (text, paths) => {
    expect(repeatedMembers(text)).toEqual(paths);
  });

  it("property: JSON.stringify never repeats a member", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(repeatedMembers(JSON.stringify(value))).toEqual([]);
      }),
    );
  });
});
