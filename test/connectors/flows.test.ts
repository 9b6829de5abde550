/**
 * The sample flows: their structure, and their requests. Each test runs a definition: it evaluates the expressions and sends
 * every HTTP request of it to the local stack. Only what is Microsoft's (Dataverse, mail, Event Grid) is answered here.
 */
import { describe, expect, test } from "vitest";
import type { GrantEvent } from "../../shared/core/grant-event.ts";
import { toCloudEvent } from "../../shared/events/cloud-event.ts";
import { fences, markdownFile } from "../docs/support/markdown.ts";
import { pathOf } from "../sign-in/support/browser.ts";
import { answerLink, requestLink } from "../sign-in/support/sign-in.ts";
import { appToken, CLIENT_IDS, USER_IDS, userToken } from "../support/callers.ts";
import { SERVICE_URL } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";
import { expressionsIn, FUNCTIONS, functionsOf } from "./support/flow-expressions.ts";
import {
  type FlowAction,
  type FlowActions,
  type FlowAnswer,
  type FlowCall,
  type FlowDefinition,
  type FlowRun,
  runFlow,
} from "./support/run-flow.ts";
import { FLOWS, readFlow, type SampleFlow, sendConnector, sendHttp } from "./support/sample-flow.ts";

describe.each(FLOWS)("the definition of %s", (name) => {
  const { definition, connectionReferences } = readFlow(name);
  const actions = actionsIn(definition.actions);

  test("has the parts of the Workflow Definition Language", () => {
    expect(Object.keys(definition).sort()).toEqual(["$schema", "actions", "contentVersion", "parameters", "triggers"]);
    expect(Object.keys(definition.triggers)).toHaveLength(1);
    expect(actions.length).toBeGreaterThan(1);
  });

  test("has actions of known types with names of at most 80 characters, each once", () => {
    const names = actions.map(([action]) => action);
    expect(new Set(names).size).toBe(names.length);
    for (const [action, { type }] of actions) {
      expect(action).toMatch(/^\w{1,80}$/);
      expect(["Http", "OpenApiConnection", "If"]).toContain(type);
    }
  });

  test("runs each action after one beside it", () => {
    for (const siblings of levelsIn(definition.actions)) {
      for (const [action, { runAfter = {} }] of Object.entries(siblings)) {
        const missing = Object.keys(runAfter).filter((before) => before === action || !Object.hasOwn(siblings, before));
        expect({ action, missing }).toEqual({ action, missing: [] });
        for (const statuses of Object.values(runAfter)) {
          expect(["Succeeded", "Failed", "Skipped", "TimedOut"]).toEqual(expect.arrayContaining([...statuses]));
        }
      }
    }
  });

  test("reads only parameters that it declares, and declares only those that it reads", () => {
    const read = new Set(
      [...JSON.stringify([definition.triggers, definition.actions]).matchAll(/parameters\('([^']+)'\)/g)].map(
        ([, one]) => one,
      ),
    );
    const declared = Object.keys(definition.parameters).filter((one) => one !== "$connections");
    expect([...read].sort()).toEqual(declared.sort());
  });

  test("uses only functions that the evaluator of this test knows", () => {
    const used = new Set(expressionsIn([definition.triggers, definition.actions]).flatMap(functionsOf));
    expect([...used].filter((one) => !FUNCTIONS.some((known) => known === one))).toEqual([]);
  });

  test("has a reference for each connection", () => {
    const used = new Set([...JSON.stringify(definition).matchAll(/"connectionName":"(\w+)"/g)].map(([, one]) => one));
    expect([...used].sort()).toEqual(Object.keys(connectionReferences).sort());
  });

  test("hides every token, secret, handle and link in the history of its runs", () => {
    const hidden = ({ runtimeConfiguration }: FlowAction) => runtimeConfiguration?.secureData?.properties ?? [];
    for (const [action, one] of [...actions, ...Object.entries(definition.triggers)]) {
      const text = JSON.stringify(one.inputs ?? {});
      const takes = /SecretValue'|\['headers'\]|signin_?url/i.test(text);
      const gives = /RetrieveEnvironmentVariableSecretValue|AuthorizationHeader|grant\.dead/.test(text);
      expect({ action, missing: takes && !hidden(one).includes("inputs") }).toEqual({ action, missing: false });
      expect({ action, missing: gives && !hidden(one).includes("outputs") }).toEqual({ action, missing: false });
    }
  });

  test("contains no secret", () => {
    expect(JSON.stringify(definition)).not.toMatch(/gte_|eyJ|"secret":"[^@]/);
  });
});

test("docs/power-automate.md shows the expressions and the names of the flow with a grant", () => {
  const { text } = markdownFile("docs/power-automate.md");
  const flow = expressionsIn(readFlow("grant").definition.actions);
  const shown = fences(text, "text").map((expression) => expression.trim().slice(1));
  expect(shown.length).toBeGreaterThan(1);
  expect(shown.filter((expression) => !flow.includes(expression))).toEqual([]);
  for (const name of ["Get client secret", "Get grant", "Get token"]) {
    expect(text).toContain(`\`${name}\``);
    expect(Object.keys(readFlow("grant").definition.actions)).toContain(name.replaceAll(" ", "_"));
  }
});

const { world, service, clock } = useWorld();

/** Environment variables, as a solution has them. */
const VARIABLES = {
  contoso_ServiceUrl: SERVICE_URL,
  contoso_FlowClientId: CLIENT_IDS.daemon,
  contoso_Person: "alice@contoso.local",
  contoso_Administrator: "erin@contoso.local",
};

/** Runs a flow whose secrets are in Dataverse. */
function run(name: SampleFlow, secrets: Readonly<Record<string, string>>, trigger: unknown = null): Promise<FlowRun> {
  const { config } = service.service;
  const variables = {
    ...VARIABLES,
    contoso_TenantId: config.tenantId,
    contoso_ServiceClientId: config.registrations[0]?.clientId,
  };
  return runFlow(definitionOf(name), { variables, trigger, call: (call) => answer(call, secrets) });
}

async function answer(call: FlowCall, secrets: Readonly<Record<string, string>>): Promise<FlowAnswer> {
  if (call.type === "Http") return sendHttp(service, call);
  const { host, parameters } = call.inputs as { host: { operationId: string }; parameters: Record<string, string> };
  switch (host.operationId) {
    case "PerformUnboundAction":
      expect(parameters["actionName"]).toBe("RetrieveEnvironmentVariableSecretValue");
      return {
        failed: false,
        body: { EnvironmentVariableSecretValue: secrets[parameters["item/EnvironmentVariableName"] ?? ""] },
      };
    case "UserProfile_V2":
      expect(parameters["id"]).toBe(USER_IDS.alice);
      return { failed: false, body: { mail: "alice@contoso.local" } };
    case "SendEmailV2":
      return { failed: false, body: null };
    default:
      return sendConnector(service, call, userToken(world, { client: "assistant" }));
  }
}

function secretsWith(handle: string): Record<string, string> {
  return { contoso_FlowSecret: daemonSecret(), contoso_MailGrant: handle };
}

function daemonSecret(): string {
  const [secret] = world.tenant.state.directory.registration("daemon")?.secrets ?? [];
  return secret?.value ?? "";
}

const mailOf = ({ calls }: FlowRun) =>
  (calls.find(({ name }) => /^(Ask_the_person|Mail_the_link|Tell_the_administrator)$/.test(name))?.inputs ?? {}) as {
    readonly parameters?: Readonly<Record<string, string>>;
  };
const linkIn = (ended: FlowRun) =>
  pathOf(/href="([^"]+)"/.exec(mailOf(ended).parameters?.["emailMessage/Body"] ?? "")?.[1] ?? "");
const subjects = (ended: FlowRun) =>
  (ended.bodyOf("Read_mail") as { value: { subject: string }[] }).value.map(({ subject }) => subject);

describe("the flow with the connector", () => {
  test("reads the mail of the person of the connection, and the flow never has a token", async () => {
    const ended = await run("connector", {});
    expect(subjects(ended)).toContain("Welcome, Alice");
    expect(JSON.stringify(ended.bodyOf("Read_mail"))).not.toMatch(/eyJ/);
    expect(ended.statuses.get("Tell_the_administrator")).toBe("Skipped");
  });

  test("a refusal goes to the administrator", async () => {
    const definition = JSON.parse(
      JSON.stringify(definitionOf("connector")).replace("/v1.0/me/messages?", "/v1.0/users?"),
    ) as FlowDefinition;
    const ended = await runFlow(definition, { variables: VARIABLES, call: (call) => answer(call, {}) });
    expect(mailOf(ended).parameters).toMatchObject({
      "emailMessage/Body": expect.stringContaining("Code downstream_not_allowed"),
    });
  });
});

describe("the flow with a grant", () => {
  test("link → Allow → call: it reads the mail of the person", async () => {
    const { link, handle } = await requestLink(service);
    expect((await answerLink(service, link)).status).toBe(200);
    const ended = await run("grant", secretsWith(handle));
    expect([...ended.statuses]).toEqual([
      ["Get_client_secret", "Succeeded"],
      ["Get_grant", "Succeeded"],
      ["Get_token", "Succeeded"],
      ["Read_mail", "Succeeded"],
      ["Has_a_link", "Skipped"],
    ]);
    expect(subjects(ended)).toContain("Welcome, Alice");
  });

  test("before the person allowed it, the flow mails the person the link", async () => {
    const { handle } = await requestLink(service);
    const ended = await run("grant", secretsWith(handle));
    expect(ended.bodyOf("Get_token")).toMatchObject({ status: 403, code: "grant_pending", action: "sign_in" });
    expect(mailOf(ended).parameters).toMatchObject({ "emailMessage/To": "alice@contoso.local" });
    expect((await answerLink(service, linkIn(ended))).status).toBe(200);
    expect(subjects(await run("grant", secretsWith(handle)))).toContain("Welcome, Alice");
  });

  test("dead → heal → retry: the same handle works again after one click", async () => {
    const { link, handle } = await requestLink(service);
    await answerLink(service, link);
    await run("grant", secretsWith(handle));
    clock.advance(DAY_MS);
    world.tenant.state.revokeSessions({ user: "alice" });

    const dead = await run("grant", secretsWith(handle));
    expect(dead.bodyOf("Get_token")).toMatchObject({ code: "grant_dead", action: "sign_in" });
    expect(dead.statuses.get("Read_mail")).toBe("Skipped");
    expect(dead.statuses.get("Ask_the_person")).toBe("Succeeded");

    expect((await answerLink(service, linkIn(dead))).status).toBe(200);
    const healed = await run("grant", secretsWith(handle));
    expect(healed.statuses.get("Read_mail")).toBe("Succeeded");
    expect(subjects(healed)).toContain("Welcome, Alice");
  });

  test("a handle that the service does not know goes to the administrator, with code and correlation id", async () => {
    const ended = await run("grant", secretsWith(`gte_${"A".repeat(43)}`));
    const { correlation_id: id } = ended.bodyOf("Get_token") as { correlation_id: string };
    expect(mailOf(ended).parameters).toMatchObject({
      "emailMessage/To": "erin@contoso.local",
      "emailMessage/Body": expect.stringContaining(`Code grant_invalid, correlation id ${id}.`),
    });
  });

  test("a reference to the secret in place of its value is named by the service", async () => {
    const ended = await run(
      "grant",
      secretsWith("/subscriptions/x/resourceGroups/y/providers/Microsoft.KeyVault/vaults/z/secrets/s"),
    );
    expect(ended.bodyOf("Get_token")).toMatchObject({ status: 400, code: "handle_malformed" });
  });

  test("no mail contains a handle, a token or a secret", async () => {
    const { handle } = await requestLink(service);
    const text = JSON.stringify(mailOf(await run("grant", secretsWith(handle))));
    for (const secret of [handle, daemonSecret(), appToken(world, { client: "daemon" }).slice(0, 30)])
      expect(text).not.toContain(secret);
  });
});

describe("the flow that mails the link", () => {
  /** As the service sends it. */
  function cloudEvent(changes: Pick<GrantEvent, "reason" | "signInUrl">): unknown {
    const event: GrantEvent = {
      kind: "dead",
      grantId: "911e1e87f159ec05e9871f451a86798347bda2a75b3bc8ecdc3ea99bc74415f1",
      clientId: CLIENT_IDS.daemon,
      user: { tenantId: world.tenant.state.tenantId, objectId: USER_IDS.alice },
      policyEntry: "daemon",
      expiresAtSeconds: undefined,
      ...changes,
    };
    return JSON.parse(toCloudEvent(event, SERVICE_URL, Math.floor(clock.nowMs() / 1_000)).text);
  }

  /** The CloudEvent of a dead grant, with the link that a redemption answered. */
  async function eventOfDeadGrant(handle: string) {
    clock.advance(DAY_MS);
    world.tenant.state.revokeSessions({ user: "alice" });
    const dead = (await run("grant", secretsWith(handle))).bodyOf("Get_token") as Record<string, string>;
    return cloudEvent({ reason: dead["code"], signInUrl: dead["signin_url"] });
  }

  test("event → mail → click → the flow with the grant continues with the same handle", async () => {
    const { link, handle } = await requestLink(service);
    await answerLink(service, link);
    const ended = await run("mail-the-link", {}, await eventOfDeadGrant(handle));
    expect(ended.calls.map(({ name }) => name)).toEqual(["Get_person", "Mail_the_link"]);
    expect(mailOf(ended).parameters).toMatchObject({ "emailMessage/To": "alice@contoso.local" });
    expect((await answerLink(service, linkIn(ended))).status).toBe(200);
    expect(subjects(await run("grant", secretsWith(handle)))).toContain("Welcome, Alice");
  });

  test("an event without a link goes to the administrator", async () => {
    const event = cloudEvent({ reason: "grant_dead", signInUrl: undefined });
    const ended = await run("mail-the-link", {}, event);
    expect(mailOf(ended).parameters).toMatchObject({
      "emailMessage/To": "erin@contoso.local",
      "emailMessage/Body": expect.stringContaining("911e1e87f159"),
    });
  });
});

// ---------------------------------------------------------------------------------------------------------------

const DAY_MS = 86_400_000;

function definitionOf(name: SampleFlow): FlowDefinition {
  return readFlow(name).definition;
}

/** The actions of each level, with the branches of conditions. */
function levelsIn(actions: FlowActions): FlowActions[] {
  const inner = Object.values(actions).flatMap((action) => [action.actions, action.else?.actions]);
  return [actions, ...inner.flatMap((one) => (one === undefined ? [] : levelsIn(one)))];
}

function actionsIn(actions: FlowActions): [string, FlowAction][] {
  return levelsIn(actions).flatMap((level) => Object.entries(level));
}
