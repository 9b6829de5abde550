/** Attacks on the management of grants: who may, what a stranger learns, what the keys of a filter can contain. */
import { beforeEach, describe, expect, test } from "vitest";
import type { OfflineAccess } from "../../shared/offline-access/offline-access.ts";
import { newBrowser } from "../sign-in/support/browser.ts";
import { requestLink } from "../sign-in/support/sign-in.ts";
import { appToken, bearer, CLIENT_IDS, exchangeForm, USER_IDS, userToken } from "../support/callers.ts";
import type { Call } from "../support/service-under-test.ts";
import { deleteTableRow, newTableName, readTable } from "../support/table-rows.ts";
import { useWorld } from "../support/use-world.ts";

const SECOND = 1_000;
const ROLE = "Grant.Admin";
const { world, clock, service, restart } = useWorld();
let settings: Record<string, string>;
beforeEach(() => {
  settings = { GRANT_TABLE_NAME: newTableName() };
  restart({ settings });
});

const everything = { everything: true, reason: "drill", dryRun: false };
const ROUTES: readonly [string, Call][] = [
  ["/manage/grants", {}],
  ["/manage/revocations", {}],
  ["/manage/revocations", { method: "POST", json: everything }],
  ["/manage/revocations", { method: "POST", body: "{" }],
];
const administrator = () => bearer(userToken(world, { user: "erin" }));
const backend = () => bearer(appToken(world));

async function issue(): Promise<string> {
  const form = exchangeForm(userToken(world), { scope: "User.Read Mail.Read offline_access" });
  return String((await service.call("/oauth2/token", { form, headers: backend() })).json()["refresh_token"]);
}

const redeem = (handle: string, at = service) =>
  at.call("/oauth2/token", { form: { grant_type: "refresh_token", refresh_token: handle }, headers: backend() });

describe.each(ROUTES)("%s %j", (path, call) => {
  const send = (headers: Record<string, string> = {}) =>
    service.call(path, { ...call, headers: { "content-type": "application/json", ...headers } });

  test("answers a stranger 401, and no more than every other route", async () => {
    const answer = await send();
    expect(answer.status).toBe(401);
    expect(answer.json()).toMatchObject({ code: "caller_missing" });
    expect(answer.text).not.toContain(ROLE);
  });

  test.each<[string, () => string]>([
    ["a person without the role", () => userToken(world)],
    ["an application without the role", () => appToken(world)],
    ["the role of another route", () => userToken(world, { claims: { roles: ["Policy.Explain", "Grant.Create"] } })],
    ["the role as a scope", () => userToken(world, { claims: { scp: `access_as_user ${ROLE}` } })],
    ["the role as a directory role", () => userToken(world, { claims: { wids: [ROLE] } })],
    ["the role as a group", () => userToken(world, { claims: { groups: [ROLE] } })],
    ["the role in another case", () => userToken(world, { claims: { roles: ["grant.admin"] } })],
    ["a role that contains it", () => userToken(world, { claims: { roles: ["Grant.Admin.Read"] } })],
    [
      "the role in a token for another registration",
      () => userToken(world, { resource: "narrow", client: "intranet", claims: { roles: [ROLE] } }),
    ],
  ])("refuses %s with 403, and reads nothing of the request", async (_title, mint) => {
    const handle = await issue();
    const answer = await send(bearer(mint()));
    expect(answer.status).toBe(403);
    expect(answer.json()).toMatchObject({ code: "role_required" });
    expect(answer.text).not.toContain(USER_IDS.alice);
    expect((await redeem(handle)).status).toBe(200);
  });

  test("refuses the role as a text instead of a list", async () => {
    expect((await send(bearer(userToken(world, { claims: { roles: ROLE } })))).status).toBe(401);
  });
});

describe("a target", () => {
  test.each([
    ["person", `${USER_IDS.alice}' or '1' eq '1`],
    ["person", "' or PartitionKey ne '"],
    ["person", `${USER_IDS.alice}\u0000`],
    ["caller", `${CLIENT_IDS.web}') or (RowKey ne '`],
    ["entry", "web-backend' or policyEntry ne '"],
    ["entry", "../web-backend"],
    ["api", "graph'; drop table grants"],
    ["grant", `${"0".repeat(63)}'`],
    ["everything", "yes"],
    ["everything", "false"],
  ])("with a query in it (%s) is refused by both routes: %s", async (name, value) => {
    await issue();
    const query = new URLSearchParams({ [name]: value });
    const listed = await service.call(`/manage/grants?${query}`, { headers: administrator() });
    const json = { [name]: value, reason: "drill", dryRun: true };
    const revoked = await service.call("/manage/revocations", { headers: administrator(), json });
    expect([listed.status, revoked.status]).toEqual([400, 400]);
    expect(listed.text).not.toContain(USER_IDS.alice);
  });

  test.each(["__proto__", "constructor", "toString"])("cannot be %s", async (name) => {
    const body = `{"${name}":"x","reason":"drill","dryRun":true}`;
    const headers = { ...administrator(), "content-type": "application/json" };
    expect((await service.call("/manage/revocations", { method: "POST", headers, body })).status).toBe(400);
  });

  test.each([
    ["a text", "abc"],
    ["a query", `${"0".repeat(60)}' or`],
    ["another partition", `revocations${"0".repeat(53)}`],
  ])("a page position that is %s is refused", async (_title, after) => {
    const query = new URLSearchParams({ after });
    expect((await service.call(`/manage/grants?${query}`, { headers: administrator() })).status).toBe(400);
  });

  test("a forged page position is only a position: it shows no other rows than the list", async () => {
    await issue();
    const whole = await service.call("/manage/grants", { headers: administrator() });
    const [grant] = whole.json()["grants"] as { id: string }[];
    const before = await service.call(`/manage/grants?after=${"0".repeat(64)}`, { headers: administrator() });
    const behind = await service.call(`/manage/grants?after=${grant?.id}`, { headers: administrator() });
    expect(before.json()["grants"]).toEqual(whole.json()["grants"]);
    expect(behind.json()["grants"]).toEqual([]);
  });
});

describe("after a revocation", () => {
  const revoke = (target: object = { everything: true }) =>
    service.call("/manage/revocations", { headers: administrator(), json: { ...everything, ...target } });

  test("a link that the application got before leads nowhere, and its handle is refused", async () => {
    const { link, handle } = await requestLink(service, { apis: { graph: [] } });
    expect((await revoke()).status).toBe(200);
    expect((await newBrowser(service).open(link)).headers.get("location")).toBeNull();
    expect(service.lastEvent()).toMatchObject({ outcome: "refused", code: "signin_link_used" });
    const headers = bearer(appToken(world, { client: "daemon" }));
    const form = { grant_type: "refresh_token", refresh_token: handle };
    const refused = await service.call("/oauth2/token", { form, headers });
    expect(refused.json()).toMatchObject({ code: "grant_revoked" });
    expect(refused.json()).not.toHaveProperty("signin_url");
  });

  test("no token leaves that Entra gave while the revocation was answered", async () => {
    const handle = await issue();
    const grants = service.service.exchangeContext.grants as { -readonly [M in keyof OfflineAccess]: OfflineAccess[M] };
    const { redeemed } = grants;
    grants.redeemed = async (...input) => {
      expect((await revoke()).status).toBe(200);
      return redeemed(...input);
    };
    const answer = await redeem(handle);
    expect(answer.json()).toMatchObject({ code: "grant_revoked" });
    expect(answer.text).not.toContain("access_token");
  });

  test("neither the person nor the application nor the administrator sees the grant in a list", async () => {
    await issue();
    const listed = async () => {
      const person = await service.call("/grants", { headers: bearer(userToken(world)) });
      const application = await service.call("/grants", { headers: backend() });
      const all = await service.call("/manage/grants", { headers: administrator() });
      return [person, application, all].map((answer) => (answer.json()["grants"] as unknown[]).length);
    };
    expect(await listed()).toEqual([1, 1, 1]);
    await revoke();
    expect(await listed()).toEqual([0, 0, 0]);
  });

  test("a grant of an instance whose clock is five seconds ahead does not escape", async () => {
    const ahead = service.another({ settings, surroundings: { nowMs: () => clock.nowMs() + 5 * SECOND } });
    const form = exchangeForm(userToken(world), { scope: "User.Read Mail.Read offline_access" });
    const handle = String((await ahead.call("/oauth2/token", { form, headers: backend() })).json()["refresh_token"]);
    await revoke();
    expect((await redeem(handle)).json()).toMatchObject({ code: "grant_revoked" });
  });

  test("sent again, it takes nothing back and revokes up to the later time", async () => {
    const handle = await issue();
    const target = { everything: undefined, person: USER_IDS.alice };
    const first = Date.parse(String((await revoke(target)).json()["allowedUntil"]));
    clock.advance(10 * SECOND);
    const second = Date.parse(String((await revoke(target)).json()["allowedUntil"]));
    expect(second - first).toBeGreaterThanOrEqual(9 * SECOND);
    expect((await redeem(handle)).json()).toMatchObject({ code: "grant_revoked" });
  });

  test("an attacker who removes the mark from the table gains nothing on an instance that knows it", async () => {
    const handle = await issue();
    const other = service.another({ settings });
    await redeem(handle, other);
    await revoke();
    clock.advance(30 * SECOND);
    await redeem(handle, other);
    const { GRANT_TABLE_NAME: tableName = "" } = settings;
    const table = { tableUrl: world.tableUrl, tableName };
    for (const row of await readTable(table)) {
      if (row["partitionKey"] === "revocations") await deleteTableRow(table, row);
    }
    clock.advance(30 * SECOND);
    expect((await redeem(handle, other)).json()).toMatchObject({ code: "grant_revoked" });
    expect((await redeem(handle)).json()).toMatchObject({ code: "grant_revoked" });
    // Documented: who can write to the table can also delete its rows, and a new instance does not know the mark.
    expect((await redeem(handle, service.another({ settings }))).status).toBe(200);
  });

  test("the handle, the reason and the administrator's token are in no log", async () => {
    const handle = await issue();
    await revoke({ everything: undefined, person: USER_IDS.alice, reason: "a secret reason" });
    const logs = service.logs.join("\n");
    expect(logs).not.toContain(handle);
    expect(logs).not.toContain("a secret reason");
    expect(logs).not.toMatch(/eyJ[\w-]+\.eyJ/);
  });
});
