/** What the files of this folder need of the service. */
import type { GrantsOfPerson } from "../offline-access/grants-of-person.ts";
import type { SignInContext } from "../sign-in/sign-in-context.ts";

export interface MyAccessContext
  extends Pick<
    SignInContext,
    "tenantId" | "allowGuests" | "registrations" | "policy" | "signIn" | "nowSeconds" | "trace"
  > {
  readonly grants: GrantsOfPerson;
}
