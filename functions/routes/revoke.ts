import { authenticate } from "../../shared/authenticate.ts";
import { readRevocation } from "../../shared/http/read-revocation.ts";
import { json } from "../../shared/http/write-answer.ts";
import { succeed } from "../../shared/result.ts";
import { noteCaller } from "../../shared/whose-token.ts";
import type { Service } from "../composition/compose.ts";
import type { Route } from "../handle.ts";

/** `POST /oauth2/revoke` (RFC 7009): ends a grant of the caller's, or one in a person's own name. A grant that is not there is already revoked: 200. */
export function revokeRoute({ stages }: Service): Route {
  return {
    name: "revoke",
    template: "oauth2/revoke",
    methods: ["POST"],
    dialect: "oauth",
    audit: "answered",
    async run(request, { note, correlationId, trace }) {
      const read = await readRevocation(request);
      if (!read.ok) {
        return read;
      }
      const caller = await authenticate({ ...stages, trace }, read.value.proof);
      if (!caller.ok) {
        return caller;
      }
      noteCaller(caller.value, note);
      const revoked = await stages.grants.revoke(read.value.token, caller.value, note);
      return revoked.ok ? succeed(json(200, correlationId, { revoked: revoked.value })) : revoked;
    },
  };
}
