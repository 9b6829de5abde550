/** Permissions in the words that a person reads when an application asks for consent. */

const TEXTS: ReadonlyMap<string, string> = new Map([
  ["openid", "Sign you in"],
  ["profile", "View your basic profile"],
  ["email", "View your email address"],
  ["offline_access", "Keep the access that you give it"],
  ["User.Read", "Sign you in and read your profile"],
  ["User.ReadWrite", "Read and change your profile"],
  ["User.ReadBasic.All", "Read the basic profiles of everyone"],
  ["User.Read.All", "Read the full profiles of everyone"],
  ["Mail.Read", "Read your mail"],
  ["Mail.ReadWrite", "Read and change your mail"],
  ["Mail.Send", "Send mail as you"],
  ["Files.Read", "Read your files"],
  ["Files.ReadWrite", "Read and change your files"],
  ["Orders.Read", "Read your orders"],
  ["Orders.Write", "Change your orders"],
  ["access_as_user", "Use the service as you"],
]);

/** Its own name for a permission without words. */
export function permissionText(scope: string): string {
  return TEXTS.get(scope) ?? scope;
}
