/** What an administrator does at Entra, or what happens to Entra: switches that every later flow meets. */
import type { Person, PlaygroundTenant } from "./flows/flow.ts";

export interface Switch {
  readonly id: string;
  readonly title: string;
  readonly about: string;
  /** It concerns one person, or everyone. */
  readonly concerns: "person" | "everyone";
  /** Returns what undoes it. */
  turnOn(tenant: PlaygroundTenant, person: Person): () => void;
}

const GRAPH_SCOPES = ["User.Read", "Mail.Read"];
const REGISTRATIONS = ["service", "narrow", "appOnly"];

export const switches: readonly Switch[] = [
  {
    id: "mfa",
    concerns: "person",
    title: "Demand a second factor",
    about: "Conditional Access: Entra refuses Graph tokens for this person until they sign in with a second factor.",
    turnOn: (tenant, person) => {
      const demanded = tenant.requireClaims({ user: person.name });
      return () => tenant.clearRequirements(demanded);
    },
  },
  {
    id: "throttle",
    concerns: "everyone",
    title: "Throttle the service",
    about: "Entra answers 429 with Retry-After 5 to every token request of the service.",
    turnOn: (tenant) => answerAlways(tenant, { throttleSeconds: 5 }),
  },
  {
    id: "outage",
    concerns: "everyone",
    title: "Entra is unavailable",
    about: "Entra answers “temporarily unavailable” to every token request of the service.",
    turnOn: (tenant) => answerAlways(tenant, { aadsts: 90033 }),
  },
  {
    id: "consent",
    concerns: "person",
    title: "Withdraw consent",
    about: "The person’s consent for the service’s Graph permissions is withdrawn.",
    turnOn: (tenant, { name }) => {
      const consent = { user: name, scopes: GRAPH_SCOPES };
      tenant.withdrawConsent(consent);
      return () => tenant.addConsent(consent);
    },
  },
];

// ---------------------------------------------------------------------------------------------------------------

function answerAlways(tenant: PlaygroundTenant, answer: { throttleSeconds?: number; aadsts?: number }): () => void {
  const ids = REGISTRATIONS.map((client) => tenant.order({ endpoint: "token", client, times: 0, ...answer }));
  return () => {
    for (const id of ids) tenant.clearOrders({ id });
  };
}
