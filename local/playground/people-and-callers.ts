/** The people and the client applications that the page offers, with what is special about each. */
import type { LocalEnvironment } from "../caller/environment.ts";
import type { Directory } from "../tenant/directory/directory.ts";
import type { Caller, Person } from "./flows/flow.ts";

export interface ShownPerson extends Person {
  readonly about: string;
}

const PEOPLE: Readonly<Record<string, string>> = {
  alice: "has consented",
  bob: "has consented",
  carol: "has not consented",
  dave: "is a guest",
  erin: "operates the service",
};

type CallerFacts = Pick<Caller, "about" | "unattended" | "registration">;
const attended = (about: string, registration?: string): CallerFacts => ({ about, unattended: false, registration });
const unattended = (about: string): CallerFacts => ({ about, unattended: true, registration: undefined });

const CALLERS: Readonly<Record<string, CallerFacts>> = {
  web: attended("a web application with a backend"),
  intranet: attended("may have User.Read only, through a separate registration", "narrow"),
  assistant: attended("never gets a token: it uses the relay"),
  public: attended("a desktop application"),
  cli: attended("the command line tool gte"),
  daemon: unattended("runs while people are away"),
  reports: unattended("an application with its own permissions"),
  stranger: attended("is not in the policy"),
};

export function peopleOf({ users }: Directory): readonly ShownPerson[] {
  return users.map(({ name, displayName, givenName, oid }) => ({
    name,
    displayName,
    givenName,
    oid,
    about: PEOPLE[name] ?? "",
  }));
}

export function callersOf(directory: Directory, { callers }: LocalEnvironment): readonly Caller[] {
  return Object.entries(CALLERS).flatMap(([name, facts]) => {
    const clientId = callers[name]?.clientId;
    const displayName = directory.registration(name)?.displayName ?? name;
    return clientId === undefined ? [] : [{ name, displayName, clientId, ...facts }];
  });
}
