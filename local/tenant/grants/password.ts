/**
 * Resource owner password: the local users get a token without a browser. The service itself refuses this grant type.
 * Unlike Entra, it accepts guests and treats `claims` as satisfied, because a script has no other way to sign in.
 */
import { entraError } from "../errors/entra-error.ts";
import { assertPassword } from "../oauth/password-check.ts";
import { parseClaimsRequest } from "../oauth/requirements.ts";
import { parseScopes } from "../oauth/scopes.ts";
import { required } from "../oauth/token-request.ts";
import type { Grant } from "./grant.ts";

export const passwordGrant: Grant = {
  name: "password",
  wireNames: ["password"],
  confidentialOnly: false,
  anyTenant: false,
  redeem: ({ tenant, form }) => {
    const username = required(form, "username");
    const password = required(form, "password");
    const request = parseScopes(tenant, required(form, "scope"), "refuse");
    const user = tenant.directory.users.find((one) => one.username.toLowerCase() === username.toLowerCase());
    if (user === undefined) throw entraError(50034, { user: username, tenant: tenant.tenantId });
    assertPassword(user, password);
    return { kind: "user", user, request, satisfied: parseClaimsRequest(form.get("claims")).demands };
  },
};
