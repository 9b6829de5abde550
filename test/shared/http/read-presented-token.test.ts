/** The token by which the queue recognises a caller, before anything of the request is checked. */
import { HttpRequest } from "@azure/functions";
import { describe, expect, test } from "vitest";
import { PARAMETERS_MAX } from "../../../shared/core/limits.ts";
import { readPresentedToken } from "../../../shared/http/read-presented-token.ts";
import { FORM_TYPE } from "./support/incoming.ts";

function posted(body: string, headers: Record<string, string> = {}) {
  const sent = { "content-type": FORM_TYPE, ...headers };
  return new HttpRequest({ method: "POST", url: "https://service.test/token", body: { string: body }, headers: sent });
}

const read = async (request: HttpRequest) => (await readPresentedToken(request))?.reveal();

describe("the token by which a caller is recognised", () => {
  test("is the bearer token, or else the assertion that authenticates the client", async () => {
    expect(await read(posted("assertion=a", { authorization: "Bearer b" }))).toBe("b");
    expect(await read(posted("subject_token=s&client_assertion=c"))).toBe("c");
    expect(await read(posted("subject_token=s"))).toBe("s");
  });

  test("is missing if a client secret authenticates the request", async () => {
    expect(await read(posted("assertion=a&client_secret=s"))).toBeUndefined();
    expect(await read(posted("assertion=a", { authorization: "Basic eA==" }))).toBeUndefined();
  });

  test("is missing in a form with too many parameters, which is not parsed", async () => {
    expect(await read(posted(`assertion=a${"&b".repeat(PARAMETERS_MAX)}`))).toBe("a");
    expect(await read(posted(`assertion=a${"&b".repeat(PARAMETERS_MAX + 1)}`))).toBeUndefined();
  });

  test("the body can still be read afterwards", async () => {
    const request = posted("assertion=a");
    await read(request);
    expect(await request.text()).toBe("assertion=a");
  });
});
