/** docs/sidecar.md: each row of its tables is one request, and the service answers as the row says. */
import { beforeAll, describe, expect, test } from "vitest";
import { markdownFile, section, tableRows } from "../docs/support/markdown.ts";
import { appToken, bearer, userToken } from "../support/callers.ts";
import { useWorld } from "../support/use-world.ts";

const { world, service } = useWorld({ newServiceForEachTest: true });

const { text } = markdownFile("docs/sidecar.md");
const CALLERS: Readonly<Record<string, () => Record<string, string>>> = {
  nobody: () => ({}),
  "`alice`": () => bearer(userToken(world)),
  "`assistant`": () => bearer(userToken(world, { client: "assistant" })),
  "`web`": () => bearer(appToken(world)),
  "`reports`": () => bearer(appToken(world, { client: "reports" })),
};

interface Row {
  readonly method: string;
  readonly path: string;
  readonly form: string | undefined;
  readonly caller: string;
  readonly answer: string;
}

function rowsOf(heading: string): Row[] {
  return tableRows(section(text, heading)).map(([request = "", caller = "", answer = ""]) => {
    const [, method = "", path = "", form] = /^`([A-Z]+)(?: |` `)(\S+)`(?: with `(\S+)`)?$/.exec(request) ?? [];
    return { method, path, form, caller, answer: answer.replaceAll("`", "") };
  });
}

let tenantId = "";
beforeAll(() => {
  tenantId = world.tenant.state.tenantId;
});

describe.each(["The same", "Deliberate differences"])("%s", (heading) => {
  const rows = rowsOf(heading);

  test("the table has rows, and each has a request and a known caller", () => {
    expect(rows.length).toBeGreaterThan(10);
    expect(rows.filter(({ path, caller }) => path === "" || CALLERS[caller] === undefined)).toEqual([]);
  });

  test.each(rows)("$method $path of $caller: $answer", async ({ method, path, form, caller, answer }) => {
    const headers = {
      ...CALLERS[caller]?.(),
      ...(form === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" }),
    };
    const call = { method, headers, ...(form === undefined ? {} : { body: form }) };
    const target = path.replace("{tenant}", tenantId);
    const [status = "", code] = answer.split(" ");
    if (status === "404" && code === undefined) {
      await expect(service.call(target, call)).rejects.toThrow("no route");
      return;
    }
    const received = await service.call(target, call);
    const body = received.text.startsWith("{") ? received.json() : {};
    expect({ status: received.status, code: body["code"] }).toEqual({ status: Number(status), code });
    if (code !== undefined) {
      expect(received.headers.get("content-type")).toBe("application/problem+json; charset=utf-8");
      expect(Object.keys(body)).toEqual(expect.arrayContaining(["type", "title", "status", "detail"]));
    }
  });
});

test("every refused override is in the table, and a test sends it", async () => {
  const refused = ["AgentUsername", "AgentUserId"];
  for (const name of refused) {
    expect(text).toContain(`\`${name}\``);
    const headers = bearer(userToken(world));
    const answer = await service.call(`/AuthorizationHeader/graph?${name}=x`, { headers });
    expect(answer.json()).toMatchObject({ code: "parameter_not_supported" });
  }
});
