/** The settings of grant events: which receivers are accepted in which cloud, and what they need. */
import { describe, expect, test } from "vitest";
import { type CloudName, cloudNamed } from "../../../shared/config/clouds.ts";
import { eventProblems, toEventConfig } from "../../../shared/config/event-config.ts";
import { SETTINGS, type SettingName } from "../../../shared/config/settings.ts";

const TOPIC = "https://evgt-contoso.westeurope-1.eventgrid.azure.net/api/events";
const HOOK = "https://hooks.contoso.example/grants";

const values = (given: Partial<Record<SettingName, string>>) =>
  new Map(
    Object.entries({ GRANT_STORE_URL: "https://st.table.core.windows.net", ...given }) as [SettingName, string][],
  );
const problems = (given: Partial<Record<SettingName, string>>, cloud: CloudName = "public") =>
  eventProblems(values(given), cloudNamed(cloud, "https://localhost:7443"));

describe("EVENT_GRID_TOPIC_ENDPOINT", () => {
  test.each<[CloudName, string]>([
    ["public", TOPIC],
    ["usgov", TOPIC.replace(".net", ".us")],
    ["china", TOPIC.replace(".net", ".cn")],
    ["local", "https://localhost:7443/api/events"],
    ["local", "http://127.0.0.1:8080/api/events"],
  ])("in cloud %s, %s is accepted", (cloud, EVENT_GRID_TOPIC_ENDPOINT) => {
    expect(problems({ EVENT_GRID_TOPIC_ENDPOINT }, cloud)).toEqual([]);
    expect(SETTINGS.EVENT_GRID_TOPIC_ENDPOINT.form.safeParse(EVENT_GRID_TOPIC_ENDPOINT).success).toBe(true);
  });

  // The service sends a token of its identity to this host.
  test.each<[CloudName, string]>([
    ["public", TOPIC.replace("https:", "http:")],
    ["public", TOPIC.replace(".net", ".us")],
    ["public", TOPIC.replace(".net", ".net.example")],
    ["public", "https://eventgrid.azure.net/api/events"],
    ["public", "https://evil.example/api/events"],
    ["public", "https://evileventgrid.azure.net/api/events"],
    ["public", TOPIC.replace("azure.net/", "azure.net:8443/")],
    ["public", TOPIC.replace("/api/events", "/api/other")],
    ["usgov", TOPIC],
    ["public", "https://localhost:7443/api/events"],
    ["local", TOPIC],
  ])("in cloud %s, %s is refused without its value", (cloud, EVENT_GRID_TOPIC_ENDPOINT) => {
    const [problem, ...more] = problems({ EVENT_GRID_TOPIC_ENDPOINT }, cloud);
    expect(more).toEqual([]);
    expect(problem).toMatch(/^EVENT_GRID_TOPIC_ENDPOINT must /);
    expect(problem).not.toContain(EVENT_GRID_TOPIC_ENDPOINT);
  });
});

describe("EVENT_WEBHOOK_URL", () => {
  test.each<[CloudName, string]>([
    ["public", HOOK],
    ["public", `${HOOK}?tenant=contoso`],
    ["local", HOOK],
    ["local", "http://127.0.0.1:8080/"],
  ])("in cloud %s, %s is accepted", (cloud, EVENT_WEBHOOK_URL) => {
    expect(problems({ EVENT_WEBHOOK_URL }, cloud)).toEqual([]);
    expect(SETTINGS.EVENT_WEBHOOK_URL.form.safeParse(EVENT_WEBHOOK_URL).success).toBe(true);
  });

  test.each<[CloudName, string]>([
    ["public", "http://hooks.contoso.example/grants"],
    ["public", "http://127.0.0.1:8080/"],
    ["local", "http://hooks.contoso.example/grants"],
  ])("in cloud %s, %s is refused: https only", (cloud, EVENT_WEBHOOK_URL) => {
    expect(problems({ EVENT_WEBHOOK_URL }, cloud)).toEqual([
      "EVENT_WEBHOOK_URL must use https: http is allowed only with CLOUD=local and a host on this machine",
    ]);
  });

  test.each(["https://user:secret@hooks.example/", "https://hooks.example/#part", "ftp://hooks.example/", "hooks"])(
    "has no user and no fragment: %s",
    (url) => {
      expect(SETTINGS.EVENT_WEBHOOK_URL.form.safeParse(url).success).toBe(false);
    },
  );
});

test.each([
  [{ EVENT_WEBHOOK_URL: HOOK }, "EVENT_WEBHOOK_URL"],
  [{ EVENT_GRID_TOPIC_ENDPOINT: TOPIC, EVENT_WEBHOOK_URL: HOOK }, "EVENT_GRID_TOPIC_ENDPOINT"],
])("%j without a grant store is a problem", (given, first) => {
  const without = new Map(Object.entries(given) as [SettingName, string][]);
  expect(eventProblems(without, cloudNamed("public", ""))).toEqual([
    `GRANT_STORE_URL is missing: ${first} is set, and events are about grants and wait in their table`,
  ]);
  expect(eventProblems(without, undefined)).toHaveLength(1);
});

test("without a receiver the service sends no events, and needs nothing", () => {
  expect(eventProblems(new Map(), cloudNamed("public", ""))).toEqual([]);
  expect(toEventConfig(new Map())).toBeUndefined();
});

test("a receiver is what the settings say", () => {
  const secret = { EVENT_WEBHOOK_SECRET_NAME: "hook" };
  expect(toEventConfig(values({ EVENT_WEBHOOK_URL: HOOK, ...secret }))).toEqual({
    topicEndpoint: undefined,
    webhook: { url: HOOK, secretName: "hook" },
  });
  expect(toEventConfig(values({ EVENT_GRID_TOPIC_ENDPOINT: TOPIC, ...secret }))).toEqual({
    topicEndpoint: TOPIC,
    webhook: undefined,
  });
});
