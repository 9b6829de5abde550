/** What the page asks: the choices and the state, a flow, a switch. One session, because the stack has one tenant. */
import type { LocalEnvironment } from "../caller/environment.ts";
import type { Directory } from "../tenant/directory/directory.ts";
import type { Caller, GrantState, Person, PlaygroundTenant } from "./flows/flow.ts";
import { flows } from "./flows/flows.ts";
import { callersOf, peopleOf } from "./people-and-callers.ts";
import { playFlow } from "./play.ts";
import { type Switch, switches } from "./switches.ts";

export interface SessionInput {
  readonly environment: LocalEnvironment;
  readonly tenant: PlaygroundTenant & { readonly directory: Directory };
}

export interface PlaygroundSession {
  /** Undefined: there is no such operation, or its input names something that does not exist. */
  answer(operation: string, input: Readonly<Record<string, unknown>>): Promise<unknown>;
}

type Operation = (input: Readonly<Record<string, unknown>>) => Promise<unknown>;

export function createSession({ environment, tenant }: SessionInput): PlaygroundSession {
  const people = peopleOf(tenant.directory);
  const callers = callersOf(tenant.directory, environment);
  const grants = new Map<string, GrantState>();
  const undo = new Map<string, () => void>();
  // One flow after the other, so that every request in the tenant's log belongs to the flow that runs.
  let queue: Promise<unknown> = Promise.resolve();

  const grantOf = (person: Person): GrantState => {
    const grant = grants.get(person.name) ?? { status: "none", handle: "", link: undefined };
    grants.set(person.name, grant);
    return grant;
  };
  const stateFor = (person: Person) => ({
    grant: { status: grantOf(person).status, link: grantOf(person).link },
    switches: Object.fromEntries(switches.map((one) => [one.id, undo.has(keyOf(one, person))])),
  });

  const run: Operation = async ({ flow: id, person: name, caller, skipCache }) => {
    const flow = flows.find((one) => one.id === id);
    const person = people.find((one) => one.name === name);
    if (flow === undefined || person === undefined) return undefined;
    const chosen = callerFor(callers, flow.callers, caller);
    if (chosen === undefined) return undefined;
    const play = { environment, tenant, flow, person, caller: chosen, skipCache: skipCache === true };
    const running = queue.then(() => playFlow({ ...play, grant: grantOf(person) }));
    queue = running.catch(() => undefined);
    return { trace: await running, state: stateFor(person) };
  };

  const setSwitch: Operation = async ({ id, on, person: name }) => {
    const found = switches.find((one) => one.id === id);
    const person = people.find((one) => one.name === name);
    if (found === undefined || person === undefined) return undefined;
    const key = keyOf(found, person);
    undo.get(key)?.();
    undo.delete(key);
    if (on === true) undo.set(key, found.turnOn(tenant, person));
    return { state: stateFor(person) };
  };

  const describe: Operation = async ({ person: name }) => {
    const person = people.find((one) => one.name === name) ?? people[0];
    if (person === undefined) return undefined;
    return {
      people: people.map(({ name, displayName, about }) => ({ name, displayName, about })),
      callers: callers.map(({ name, displayName, about }) => ({ name, displayName, about })),
      flows: flows.map(({ id, group, title, about, callers = [] }) => ({ id, group, title, about, callers })),
      switches: switches.map(({ id, title, about }) => ({ id, title, about })),
      names: namesOf(tenant.directory),
      state: stateFor(person),
    };
  };

  const operations: Readonly<Record<string, Operation>> = { run, switch: setSwitch, describe };
  return {
    answer: async (operation, input) =>
      Object.hasOwn(operations, operation) ? operations[operation]?.(input) : undefined,
  };
}

/** The display names of the ids in tokens. */
function namesOf({ users, registrations }: Directory): Readonly<Record<string, string>> {
  const people = users.map(({ oid, displayName }) => [oid, displayName]);
  const applications = registrations.flatMap(({ clientId, objectId, displayName }) => [
    [clientId, displayName],
    [objectId, displayName],
  ]);
  return Object.fromEntries([...people, ...applications]);
}

function keyOf({ id, concerns }: Switch, { name }: Person): string {
  return concerns === "person" ? `${id} ${name}` : id;
}

/** The chosen caller if the flow is for it, else the flow's own. */
function callerFor(
  callers: readonly Caller[],
  suited: readonly string[] | undefined,
  chosen: unknown,
): Caller | undefined {
  const fits = suited === undefined || suited.includes(String(chosen));
  return callers.find(({ name }) => name === (fits ? chosen : suited[0]));
}
