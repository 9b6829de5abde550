import { byApi } from "../../shared/asked-facts.ts";
import { authenticate } from "../../shared/authenticate.ts";
import type { Grant } from "../../shared/grants/grant.ts";
import { readBearer } from "../../shared/http/read-proof.ts";
import { json } from "../../shared/http/write-answer.ts";
import type { Policy } from "../../shared/policy/rules.ts";
import { succeed } from "../../shared/result.ts";
import { noteCaller } from "../../shared/whose-token.ts";
import type { Service } from "../composition/compose.ts";
import type { Route } from "../handle.ts";

/**
 * `GET /grants`: the caller's own grants, and a person's also those that applications have in their name, with the
 * application's name; never a handle. `?after=` takes `next` of the page before.
 */
export function grantsRoute({ stages }: Service): Route {
  return {
    name: "grants",
    template: "grants",
    methods: ["GET"],
    dialect: "problem",
    audit: "answered",
    async run(request, { note, correlationId, trace }) {
      const bearer = readBearer(request);
      if (!bearer.ok) {
        return bearer;
      }
      const caller = await authenticate({ ...stages, trace }, bearer.value);
      if (!caller.ok) {
        return caller;
      }
      noteCaller(caller.value, note);
      const after = new URL(request.url).searchParams.get("after") ?? undefined;
      const page = await stages.grants.list(caller.value, after === "" ? undefined : after);
      if (!page.ok) {
        return page;
      }
      const { grants, next } = page.value;
      return succeed(
        json(200, correlationId, {
          grants: grants.map((grant) => toWire(stages.policy, grant)),
          ...(next === undefined ? {} : { next }),
        }),
      );
    },
  };
}

function toWire({ callers }: Policy, grant: Grant): Record<string, unknown> {
  const { id, binding, user, apis, createdAtSeconds, expiresAtSeconds, lastRedeemedAtSeconds } = grant;
  const entry = callers.find(
    ({ name, clientId }) => name === grant.policyEntry && clientId === binding.clientId.toLowerCase(),
  );
  return {
    id,
    kind: binding.kind,
    clientId: binding.clientId,
    ...(binding.kind === "application" ? { application: entry?.displayName ?? grant.policyEntry } : {}),
    userObjectId: user.objectId,
    apis: byApi(apis),
    createdOn: iso(createdAtSeconds),
    expiresOn: iso(expiresAtSeconds),
    ...(lastRedeemedAtSeconds === undefined ? {} : { lastRedeemedOn: iso(lastRedeemedAtSeconds) }),
  };
}

function iso(seconds: number): string {
  return new Date(seconds * 1_000).toISOString();
}
