/**
 * The grant types that the token endpoint supports. To add one, write its file and add it to this list.
 */
import { authorizationCodeGrant } from "./authorization-code.ts";
import { clientCredentialsGrant } from "./client-credentials.ts";
import { deviceCodeGrant } from "./device-code.ts";
import type { Grant } from "./grant.ts";
import { onBehalfOfGrant } from "./on-behalf-of.ts";
import { passwordGrant } from "./password.ts";
import { refreshTokenGrant } from "./refresh-token.ts";

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
