/** What a change of the policy gives to callers and takes from them, for the people who approve it. Pure. */

import type { ApiRule, CallerRule, Policy } from "../../shared/policy/rules.ts";
import { cutOffChanges, diffEntries } from "./diff-entries.ts";
import { type Change, clientOf, describeEntry, entryId, quoted } from "./policy-change.ts";

export function diffPolicies(before: Policy, after: Policy): Change[] {
  return [
    ...apiChanges(before.apis, after.apis),
    ...registrationChanges(before, after),
    ...cutOffChanges(before, after).map(({ kind, text }) => ({ kind, text: `every entry: ${text}` })),
    ...callerChanges(before, after),
  ];
}

// ---------------------------------------------------------------------------------------------------------------

type Apis = Readonly<Record<string, ApiRule>>;

function apiChanges(before: Apis, after: Apis): Change[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.flatMap((name) => {
    const [old, now] = [memberOf(before, name), memberOf(after, name)];
    if (old === undefined) return [note(`defines the API ${quoted(name)}: ${quoted(now?.resource ?? "")}`)];
    if (now === undefined) return [note(`no longer defines the API ${quoted(name)}`)];
    return [...changesOfApi(quoted(name), old, now), ...descriptionChanges(name, old, now)];
  });
}

/** Another address affects every caller of the API, so it counts as a gain: a person must look at it. */
function changesOfApi(name: string, before: ApiRule, after: ApiRule): Change[] {
  const list = ({ scopes }: ApiRule) => scopes.map(quoted).join(" ");
  const changes: readonly (readonly [before: string, after: string, change: Change])[] = [
    [before.resource, after.resource, gain(`the API ${name} is now ${quoted(after.resource)}`)],
    [
      before.baseUrl ?? "",
      after.baseUrl ?? "",
      gain(`the relay sends requests for ${name} to ${hostOf(after)}, before to ${hostOf(before)}`),
    ],
    [list(before), list(after), note(`scopes of the API ${name}: ${list(before)} → ${list(after)}`)],
    [before.contentType, after.contentType, note(`content type of ${name}: ${quoted(after.contentType)}`)],
  ];
  return changes.flatMap(([old, now, change]) => (old === now ? [] : [change]));
}

/** Where the relay sends requests to the API. */
function hostOf({ resource, baseUrl }: ApiRule): string {
  return baseUrl === undefined ? `the host of ${quoted(resource)}` : quoted(baseUrl);
}

/** Pages show these words to people who decide, so each change is listed. */
function descriptionChanges(api: string, before: ApiRule, after: ApiRule): Change[] {
  const scopes = [...new Set([before, after].flatMap(({ scopeDescriptions }) => Object.keys(scopeDescriptions)))];
  return scopes.flatMap((scope) => {
    const [old, now] = [memberOf(before.scopeDescriptions, scope), memberOf(after.scopeDescriptions, scope)];
    return old === now ? [] : [note(`pages describe ${quoted(scope)} of ${quoted(api)}: ${quoted(now ?? "no words")}`)];
  });
}

function registrationChanges({ registrations: before }: Policy, { registrations: after }: Policy): Change[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.flatMap((name) => {
    const [old, now] = [memberOf(before, name), memberOf(after, name)];
    if (old === undefined)
      return [note(`adds the registration ${quoted(name)}: client id ${quoted(now?.clientId ?? "")}`)];
    if (now === undefined) return [note(`removes the registration ${quoted(name)}`)];
    if (JSON.stringify(old) === JSON.stringify(now)) return [];
    return [
      gain(
        `the registration ${quoted(name)} is now ${quoted(JSON.stringify(now))}, before ${quoted(JSON.stringify(old))}`,
      ),
    ];
  });
}

function callerChanges(before: Policy, after: Policy): Change[] {
  const pairs = pairEntries(before.callers, after.callers);
  const removed = before.callers.filter((entry) => !pairs.some(([old]) => old === entry));
  const added = after.callers.filter((entry) => !pairs.some(([, now]) => now === entry));
  return [
    ...added.map(
      (entry): Change => ({ entry: entryId(entry), kind: "gain", text: `new caller: ${describeEntry(entry)}` }),
    ),
    ...removed.map(
      (entry): Change => ({
        entry: entryId(entry),
        kind: "loss",
        text: `is removed: it could get ${describeEntry(entry)}`,
      }),
    ),
    ...pairs.flatMap(([old, now]) => diffEntries(old, now)),
  ];
}

/** The same entry: equal name and client, or a renamed entry of the same client. */
function pairEntries(before: readonly CallerRule[], after: readonly CallerRule[]): [CallerRule, CallerRule][] {
  const named = before.flatMap((old): [CallerRule, CallerRule][] => {
    const now = after.find((entry) => entry.name === old.name && clientOf(entry) === clientOf(old));
    return now === undefined ? [] : [[old, now]];
  });
  const renamed = before.flatMap((old): [CallerRule, CallerRule][] => {
    if (named.some(([one]) => one === old)) return [];
    const now = after.find(
      (entry) =>
        clientOf(entry) === clientOf(old) &&
        entry.registration === old.registration &&
        !named.some(([, one]) => one === entry),
    );
    return now === undefined ? [] : [[old, now]];
  });
  return [...named, ...renamed];
}

function memberOf<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

function note(text: string): Change {
  return { kind: "note", text };
}

function gain(text: string): Change {
  return { kind: "gain", text: `every caller: ${text}` };
}
