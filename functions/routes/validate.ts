import { authenticate } from "../../shared/authenticate.ts";
import { readBearer } from "../../shared/http/read-proof.ts";
import { json } from "../../shared/http/write-answer.ts";
import { succeed } from "../../shared/result.ts";
import { noteCaller } from "../../shared/whose-token.ts";
import type { Service } from "../composition/compose.ts";
import type { Route } from "../handle.ts";

/** `GET|POST /Validate`: the caller's own token, checked and decoded, as Microsoft's sidecar answers. */
export function validateRoute({ stages }: Service): Route {
  return {
    name: "validate",
    template: "Validate",
    methods: ["GET", "POST"],
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
      const { token, claims } = caller.value;
      return succeed(json(200, correlationId, { protocol: "Bearer", token: token.reveal(), claims }));
    },
  };
}
