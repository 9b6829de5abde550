/** `whoami`: the identity that the service reads from the person's token. */
import { oneLine } from "../cli-failure.ts";
import { EXIT } from "../exit-codes.ts";
import { type Command, connect, print } from "./command.ts";

export const whoami: Command = async (input) => {
  const { settings, signIn, service } = connect(input);
  const { claims } = await service.request({ path: "/Validate" });
  const account = await signIn.account();
  const read = typeof claims === "object" && claims !== null ? { ...claims } : {};
  const about: Record<string, unknown> = {
    username: account?.username,
    name: account?.name,
    ...pick(read, { objectId: "oid", tenantId: "tid", clientId: "azp", scopes: "scp", roles: "roles" }),
    service: settings.service,
  };
  if (input.options.json === true) print(input.terminal, about);
  else input.terminal.out(lines(about));
  return EXIT.ok;
};

function pick(claims: Record<string, unknown>, names: Readonly<Record<string, string>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(names).map(([name, claim]) => [name, claims[claim]]));
}

function lines(about: Readonly<Record<string, unknown>>): string {
  const known = Object.entries(about).filter(([, value]) => value !== undefined);
  return known.map(([name, value]) => `${name.padEnd(10)} ${oneLine(String(value))}\n`).join("");
}
