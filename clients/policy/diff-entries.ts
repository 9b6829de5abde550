/** What a change of one entry gives to its callers and takes from them. Pure. */
import { describeRule } from "../../shared/policy/downstream-rules.ts";
import type { CallerRule } from "../../shared/policy/rules.ts";
import { type Change, entryId, quoted } from "./policy-change.ts";

export function diffEntries(before: CallerRule, after: CallerRule): Change[] {
  const entry = entryId(after);
  const changes = [
    ...(before.name === after.name ? [] : [note(`is renamed; the name was ${quoted(before.name)}`)]),
    ...lists(before, after),
    ...switches(before, after),
    ...numbers(before, after),
    ...cutOffChanges(before, after),
    ...release(before, after),
    ...role(before, after),
    ...otherMembers(before, after),
  ];
  return changes.map((change) => ({ entry, ...change }));
}

/** An earlier time, or none, makes grants count again that were refused. */
export function cutOffChanges(before: CutOff, after: CutOff): EntryChange[] {
  const [old, now] = [before.grantsNotBefore, after.grantsNotBefore];
  if (old === now) return [];
  const isLater = now !== undefined && Date.parse(now) > Date.parse(old ?? EPOCH);
  const text = `grants allowed until ${quoted(old ?? "no time")} → ${quoted(now ?? "no time")} are refused`;
  return [(isLater ? loss : gain)(text)];
}

// ---------------------------------------------------------------------------------------------------------------

const EPOCH = "1970-01-01T00:00:00Z";

type CutOff = Pick<CallerRule, "grantsNotBefore">;

type EntryChange = Omit<Change, "entry">;

const gain = (text: string): EntryChange => ({ kind: "gain", text });
const loss = (text: string): EntryChange => ({ kind: "loss", text });
const note = (text: string): EntryChange => ({ kind: "note", text });

interface Listed {
  readonly what: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** Lists of permissions: each new item is a gain. */
function lists(before: CallerRule, after: CallerRule): EntryChange[] {
  const apis = [...new Set([...Object.keys(before.apis), ...Object.keys(after.apis)])];
  const relayed = [...new Set([...Object.keys(before.downstream), ...Object.keys(after.downstream)])];
  const rules = ({ downstream }: CallerRule, api: string) => (downstream[api] ?? []).map(describeRule);
  const all: Listed[] = [
    ...apis.map((api) => ({
      what: `scopes of ${quoted(api)}`,
      before: before.apis[api] ?? [],
      after: after.apis[api] ?? [],
    })),
    ...relayed.map((api) => ({
      what: `requests that the relay sends to ${quoted(api)}`,
      before: rules(before, api),
      after: rules(after, api),
    })),
    { what: "flows", before: before.flows, after: after.flows },
    { what: "clients whose users' tokens it may exchange", before: clients(before), after: clients(after) },
    { what: "redirect URIs", before: before.redirectUris, after: after.redirectUris },
    {
      what: "ways to authenticate without an Entra token",
      before: before.clientAuthentication,
      after: after.clientAuthentication,
    },
  ];
  return all.flatMap(listChanges);
}

function clients({ kind, subjectClients, clientId }: CallerRule): readonly string[] {
  return kind === "application" ? (subjectClients ?? (clientId === undefined ? [] : [clientId])) : [];
}

function listChanges({ what, before, after }: Listed): EntryChange[] {
  const added = after.filter((item) => !before.includes(item));
  const removed = before.filter((item) => !after.includes(item));
  return [
    ...(added.length === 0 ? [] : [gain(`${what}: ${added.map(quoted).join(" ")}`)]),
    ...(removed.length === 0 ? [] : [loss(`${what}: ${removed.map(quoted).join(" ")}`)]),
  ];
}

type Switch = { [K in keyof CallerRule]: CallerRule[K] extends boolean ? K : never }[keyof CallerRule];

const SWITCHES: Readonly<Record<Exclude<Switch, undefined>, string>> = {
  offlineAccess: "grants, which outlive the person's session",
  unattended: "grants redeemed without the person",
  anyPersonMayAllow: "grants from any person, by links that name none",
  acceptSurplus: "tokens with every scope that is consented for the registration",
  cae: "long-lived tokens, which the API may challenge",
  importRefreshTokens: "grants made of refresh tokens of Entra",
  requireConfidentialClient: "only callers with a client credential",
  requireConfirmation: "no confirmation page before each code",
};

function switches(before: CallerRule, after: CallerRule): EntryChange[] {
  return (Object.entries(SWITCHES) as [Exclude<Switch, undefined>, string][]).flatMap(([member, meaning]) => {
    const isOn = after[member];
    if (before[member] === isOn) return [];
    if (member !== "requireConfidentialClient")
      return [isOn === (member !== "requireConfirmation") ? gain(meaning) : loss(meaning)];
    return [isOn ? loss(`admits ${meaning}`) : gain("also callers without a client credential")];
  });
}

function numbers(before: CallerRule, after: CallerRule): EntryChange[] {
  return [
    ...numberChange("days that a grant lasts", before.grantMaxDays, after.grantMaxDays),
    ...numberChange("grants of one person", before.maxGrantsPerUser, after.maxGrantsPerUser),
    ...keepAlive(before.keepAliveDays, after.keepAliveDays),
    ...numberChange("minutes that a link for one person lasts", before.linkMinutes, after.linkMinutes),
    ...LIMITS.flatMap(([member, what, unset]) =>
      numberChange(what, before.limits[member] ?? unset, after.limits[member] ?? unset),
    ),
  ];
}

/** Every change of the number is listed as a gain for review, although it changes only how often the timer asks Entra. */
function keepAlive(before: number | undefined, after: number | undefined): EntryChange[] {
  if (before === after) return [];
  if (after === undefined) return [loss("grants that the service keeps alive while they are idle")];
  return [gain(`grants that the service keeps alive, and whose handles it stores sealed: after ${after} idle days`)];
}

/** What each limit counts, and the default of the service. */
const LIMITS: readonly (readonly [keyof CallerRule["limits"], string, number])[] = [
  ["bypassPerMinute", "requests past the token cache in a minute", 10],
  ["missesPerMinute", "requests that the token cache cannot answer in a minute", 120],
  ["requestsAtOnce", "requests at once on each instance", 128],
  ["requestsPerMinute", "requests in a minute", Number.POSITIVE_INFINITY],
];

function numberChange(what: string, before: number, after: number): EntryChange[] {
  if (before === after) return [];
  return [(after > before ? gain : loss)(`${what}: ${countOf(before)} → ${countOf(after)}`)];
}

function countOf(number: number): string {
  return Number.isFinite(number) ? `${number}` : "no limit";
}

/** A caller that gets tokens can send any request that the registration's scopes allow. */
function release(before: CallerRule, after: CallerRule): EntryChange[] {
  if (before.release === after.release) return [];
  return after.release === "token"
    ? [gain("gets tokens, where it could only send requests through the relay (release `none` → `token`)")]
    : [loss("no longer gets tokens, and sends requests through the relay (release `token` → `none`)")];
}

function role(before: CallerRule, after: CallerRule): EntryChange[] {
  if (before.role === after.role) return [];
  if (after.role === undefined) return [gain(`also callers without the app role ${quoted(before.role ?? "")}`)];
  const needed = loss(`only callers with the app role ${quoted(after.role)}`);
  return before.role === undefined ? [needed] : [gain(`callers with the app role ${quoted(after.role)}`), needed];
}

/** Members that the functions above describe. */
const DESCRIBED: readonly string[] = [
  ...["name", "kind", "clientId", "blueprint", "apis", "downstream", "flows", "subjectClients", "redirectUris"],
  ...[
    "clientAuthentication",
    "grantMaxDays",
    "maxGrantsPerUser",
    "keepAliveDays",
    "grantsNotBefore",
    "linkMinutes",
    "limits",
    "release",
    "role",
    "displayName",
    "purpose",
  ],
  ...Object.keys(SWITCHES),
];

/** Whether another member gives or takes is not known here, so it counts as a gain: a person must look at it. */
function otherMembers(before: CallerRule, after: CallerRule): EntryChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const changed = names.flatMap((name) => {
    const [old, now] = [before, after].map((entry) => JSON.stringify(entry[name as keyof CallerRule]) ?? "not set");
    if (DESCRIBED.includes(name) || old === now) return [];
    return [gain(`${name}: ${quoted(old ?? "")} → ${quoted(now ?? "")}`)];
  });
  return [
    ...changed,
    ...(before.displayName === after.displayName
      ? []
      : [note(`pages show ${quoted(after.displayName ?? after.name)}`)]),
    ...(before.purpose === after.purpose ? [] : [note(`pages give the purpose: ${quoted(after.purpose ?? "none")}`)]),
  ];
}
