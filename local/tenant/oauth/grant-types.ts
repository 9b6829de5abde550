/** The grants the token endpoint knows. */
import type { Grant } from "./grant.ts";
import { authorizationCodeGrant } from "./grants/authorization-code.ts";
import { clientCredentialsGrant } from "./grants/client-credentials.ts";
import { deviceCodeGrant } from "./grants/device-code.ts";
import { onBehalfOfGrant } from "./grants/on-behalf-of.ts";
import { passwordGrant } from "./grants/password.ts";
import { refreshTokenGrant } from "./grants/refresh-token.ts";

const GRANTS: readonly Grant[] = [
  onBehalfOfGrant,
  refreshTokenGrant,
  authorizationCodeGrant,
  clientCredentialsGrant,
  deviceCodeGrant,
  passwordGrant,
];

export function findGrant(wireName: string): Grant | undefined {
  return GRANTS.find((grant) => grant.wireNames.includes(wireName));
}
