/** The steps of a plan as requests. */

import { appToken, bearer, exchangeForm } from "../test/support/callers.ts";
import type { Answer, Call, LocalWorld, ServiceUnderTest } from "../test/support/service-under-test.ts";
import type { KnownGrant, Ledger, Observed, Person } from "./ledger.ts";
import type { Step } from "./plan.ts";

export interface ClientsContext {
  readonly world: LocalWorld;
  readonly ledger: Ledger;
  readonly instances: readonly [ServiceUnderTest, ServiceUnderTest];
}

/** A token that expires within this time is renewed before it is used. */
const RENEW_SECONDS = 120;
const GRANT_DAYS = 30;

/** Undefined: the step needs a grant, and there is none yet. */
export async function take(context: ClientsContext, step: Step): Promise<Observed | undefined> {
  const person = context.ledger.people[step.person];
  if (person === undefined) return undefined;
  const { action } = step;
  if (action === "redeem" || action === "redeem-as-another" || action === "redeem-revoked" || action === "revoke") {
    return useGrant(context, step);
  }
  const startedAt = context.ledger.next();
  const { answer, owner } = await exchange(context, step, person);
  if (action === "issue-grant" || action === "issue-application-grant") remember(context, step, person, answer);
  return { action, owner, grant: undefined, startedAt, answer };
}

export function redeem(context: ClientsContext, instance: 0 | 1, grant: KnownGrant): Promise<Answer> {
  const form = { grant_type: "refresh_token", refresh_token: grant.handle, scope: "User.Read" };
  return call(context, instance, "/oauth2/token", { form, headers: bearer(holderToken(context, grant)) });
}

export function nowSeconds({ world }: Pick<ClientsContext, "world">): number {
  return Math.floor(world.clock.nowMs() / 1_000);
}

// ---------------------------------------------------------------------------------------------------------------

async function exchange(
  context: ClientsContext,
  { action, instance }: Step,
  person: Person,
): Promise<{ readonly answer: Answer; readonly owner: Person | undefined }> {
  const { world } = context;
  const send = (path: string, sent: Call) => call(context, instance, path, sent);
  const own = () => tokenOf(context, person);
  switch (action) {
    case "exchange-by-application": {
      const form = exchangeForm(own());
      return { owner: person, answer: await send("/oauth2/token", { form, headers: bearer(appToken(world)) }) };
    }
    case "exchange-expired": {
      const exp = nowSeconds(context) - 61;
      const claims = { exp, iat: exp - 3_600, nbf: exp - 3_600 };
      const token = world.tenant.state.mintUserToken({ user: person.objectId, client: "web", claims });
      return { owner: undefined, answer: await send("/AuthorizationHeader/graph", { headers: bearer(token) }) };
    }
    case "exchange-forged": {
      const token = own();
      const forged = `${token.slice(0, -8)}${token.endsWith("AAAAAAAA") ? "BBBBBBBB" : "AAAAAAAA"}`;
      return { owner: undefined, answer: await send("/AuthorizationHeader/graph", { headers: bearer(forged) }) };
    }
    case "force-refresh": {
      const sent = { headers: bearer(own()), json: { forceRefresh: true } };
      return { owner: person, answer: await send("/AuthorizationHeader/graph", sent) };
    }
    case "issue-grant": {
      const form = exchangeForm(own(), { scope: "User.Read Mail.Read offline_access" });
      return { owner: person, answer: await send("/oauth2/token", { form }) };
    }
    case "issue-application-grant": {
      const form = exchangeForm(own(), { scope: "User.Read Mail.Read offline_access" });
      return { owner: person, answer: await send("/oauth2/token", { form, headers: bearer(appToken(world)) }) };
    }
    case "list":
      return { owner: person, answer: await send("/grants", { headers: bearer(own()) }) };
    default:
      return { owner: person, answer: await send("/AuthorizationHeader/graph", { headers: bearer(own()) }) };
  }
}

async function useGrant(
  context: ClientsContext,
  { action, instance, choice, person }: Step,
): Promise<Observed | undefined> {
  const { ledger } = context;
  const isRevoked = action === "redeem-revoked";
  const candidates = ledger.grants.filter(({ revoked }) => (typeof revoked === "number") === isRevoked);
  const grant = candidates[Math.floor(choice * candidates.length)];
  if (grant === undefined) return undefined;
  if (action === "revoke") {
    grant.revoked ??= "asked";
    const startedAt = ledger.next();
    const headers = bearer(holderToken(context, grant));
    const answer = await call(context, instance, "/oauth2/revoke", { form: { token: grant.handle }, headers });
    if (answer.status === 200) grant.revoked = ledger.next();
    return { action, owner: grant.owner, grant, startedAt, answer };
  }
  const startedAt = ledger.next();
  if (action === "redeem-as-another") {
    const stranger = ledger.people[(person + 1) % ledger.people.length];
    const isOwner = stranger === undefined || stranger === grant.owner;
    const token = isOwner ? appToken(context.world, { client: "daemon" }) : tokenOf(context, stranger);
    const form = { grant_type: "refresh_token", refresh_token: grant.handle };
    const answer = await call(context, instance, "/oauth2/token", { form, headers: bearer(token) });
    return { action, owner: undefined, grant, startedAt, answer };
  }
  const answer = await redeem(context, instance, grant);
  return { action, owner: grant.owner, grant, startedAt, answer };
}

function remember(context: ClientsContext, { action }: Step, owner: Person, answer: Answer): void {
  if (answer.status !== 200) return;
  const handle = String(answer.json()["refresh_token"]);
  const holder = action === "issue-grant" ? "user" : "application";
  const endsAtSeconds = nowSeconds(context) + GRANT_DAYS * 86_400;
  context.ledger.grants.push({ handle, owner, holder, endsAtSeconds, revoked: undefined });
}

function holderToken(context: ClientsContext, { holder, owner }: KnownGrant): string {
  return holder === "user" ? tokenOf(context, owner) : appToken(context.world);
}

/** The person's token for the service; a new one shortly before it expires. */
function tokenOf(context: ClientsContext, person: Person): string {
  if (person.expiresAtSeconds - nowSeconds(context) < RENEW_SECONDS) {
    person.token = context.world.tenant.state.mintUserToken({ user: person.objectId, client: "web" });
    person.expiresAtSeconds = Number(claimsOf(person.token)["exp"]);
  }
  return person.token;
}

export function claimsOf(token: string): Record<string, unknown> {
  const payload = Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8");
  return JSON.parse(payload) as Record<string, unknown>;
}

function call({ instances }: ClientsContext, instance: 0 | 1, path: string, sent: Call): Promise<Answer> {
  return instances[instance].call(path, sent);
}
