/** Properties of all strings: none makes the validation throw, and no changed token is accepted. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TOKEN_REFUSALS } from "../../shared/core/token-refusal.ts";
import { applicationToken, change, mint, userClaims, userToken, validHeader } from "./support/mint.ts";
import { strictService } from "./support/service.ts";

const BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const valid = userToken();

const character = fc.oneof(
  fc.constantFrom(...BASE64URL, "."),
  fc.constantFrom(..."=+/ \n\t\r\0%,\"'{}"),
  fc.string({ minLength: 1, maxLength: 1, unit: "binary" }),
);

function isVerdict(verdict: string): boolean {
  return verdict === "accepted" || verdict === "keys_unavailable" || Object.hasOwn(TOKEN_REFUSALS, verdict);
}

describe("property: a verdict instead of an exception", () => {
  it("any string is refused with a known code", async () => {
    const part = fc.string({ unit: fc.constantFrom(...BASE64URL), maxLength: 200 });
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.tuple(part, part, part).map((parts) => parts.join(".")),
    );
    await fc.assert(
      fc.asyncProperty(text, async (token) => {
        const verdict = await strictService.judge(token);
        expect(verdict).not.toBe("accepted");
        expect(isVerdict(verdict)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it("a token signed by Entra with any JSON as header or payload gets a known verdict", async () => {
    const json = fc.json({ maxDepth: 4 });
    await fc.assert(
      fc.asyncProperty(json, json, async (header, payload) => {
        expect(isVerdict(await strictService.judge(mint({ header })))).toBe(true);
        expect(isVerdict(await strictService.judge(mint({ payload })))).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  it("a token with any value in any claim gets a known verdict", async () => {
    const name = fc.constantFrom(...Object.keys(userClaims), "roles", "idtyp", "acct", "idp", "appid", "xms_cc", "cnf");
    await fc.assert(
      fc.asyncProperty(name, fc.jsonValue({ maxDepth: 3 }), async (claim, value) => {
        expect(isVerdict(await strictService.judge(userToken({ [claim]: value })))).toBe(true);
        expect(isVerdict(await strictService.judge(applicationToken({ [claim]: value })))).toBe(true);
      }),
      { numRuns: 150 },
    );
  });
});

describe("property: a changed token is refused", () => {
  it("a valid token with any one character changed is refused", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: valid.length - 1 }), character, async (position, replacement) => {
        fc.pre(valid[position] !== replacement);
        const changed = `${valid.slice(0, position)}${replacement}${valid.slice(position + 1)}`;
        expect(await strictService.judge(changed)).not.toBe("accepted");
      }),
      { numRuns: 1_500 },
    );
  });

  it("a valid token with the next letter at any position is refused", async () => {
    for (let position = 0; position < valid.length; position += 1) {
      const neighbor = BASE64URL[(BASE64URL.indexOf(valid.charAt(position)) + 1) % BASE64URL.length];
      const changed = `${valid.slice(0, position)}${neighbor}${valid.slice(position + 1)}`;
      expect(await strictService.judge(changed), `position ${position}`).not.toBe("accepted");
    }
  });

  it("a valid token with any character inserted or deleted is refused", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: valid.length }), character, async (position, inserted) => {
        const longer = `${valid.slice(0, position)}${inserted}${valid.slice(position)}`;
        expect(await strictService.judge(longer)).not.toBe("accepted");
        const shorter = `${valid.slice(0, position)}${valid.slice(position + 1)}`;
        if (shorter !== valid) expect(await strictService.judge(shorter)).not.toBe("accepted");
      }),
      { numRuns: 500 },
    );
  });

  it("a token with the signature of another valid token is refused (signature)", async () => {
    const signature = valid.split(".")[2];
    const other = mint({ header: validHeader, payload: change(userClaims, { oid: userClaims["azp"] }) });
    expect(await strictService.judge(other)).toBe("accepted");
    expect(await strictService.judge([...other.split(".").slice(0, 2), signature].join("."))).toBe("signature");
  });
});
