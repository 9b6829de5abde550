/**
 * What the administrator does about each of Entra's numbers for a refused credential. The text is part of the operator
 * event. Pure.
 *
 * Source: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
 */
const NO_MATCH =
  "Compare subject, issuer and audience of the registration's federated credential with the managed identity.";

const REMEDIES: Readonly<Record<number, string>> = {
  7000215: "Store the value of a client secret of this registration in the vault, not the secret's id.",
  7000222: "The client secret has expired. Add a new one to the registration and to the vault.",
  700024: "The client assertion is outside its validity period. Check the clock of the platform.",
  700027: "Upload the public part of this version of the certificate to the registration.",
  700211: "Set the issuer of the registration's federated credential to this tenant's issuer, which ends with /v2.0.",
  700212: "Set the audience of the registration's federated credential to the token exchange audience of the cloud.",
  700213: "Set the subject of the registration's federated credential to the principal id of the managed identity.",
  70021: NO_MATCH,
  7002137: `${NO_MATCH} Entra compares upper and lower case.`,
  7002138:
    "Correct upper and lower case in the subject of the registration's federated credential. It is the principal id.",
  700223: `${NO_MATCH} Entra does not accept the token of this identity for the registration.`,
};

/** The first of Entra's numbers with a remedy, and the remedy. */
export function remedyForCodes(codes: readonly number[]): {
  readonly aadsts: number | undefined;
  readonly remedy: string;
} {
  const aadsts = codes.find((code) => REMEDIES[code] !== undefined) ?? codes[0];
  const remedy = aadsts === undefined ? undefined : REMEDIES[aadsts];
  return { aadsts, remedy: remedy ?? "Look up the number in docs/troubleshooting.md under credential_refused." };
}
