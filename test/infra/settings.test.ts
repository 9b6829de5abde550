/** The template sets exactly the settings that the service reads. */
import { expect, test } from "vitest";
import { SETTINGS, type SettingName } from "../../shared/config/settings.ts";
import { parsePolicy } from "../../shared/policy/parse-policy.ts";
import { policyFindings } from "../../shared/policy/policy-findings.ts";
import { describeWithBicep } from "./support/compiler.ts";
import { TENANT_ID } from "./support/deploy.ts";
import { isKnown, reference, the } from "./support/look.ts";
import { deployMain, EVERYTHING, settingsOf } from "./support/scenarios.ts";

const PLATFORM_SETTINGS = [
  "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
  "APPLICATIONINSIGHTS_CONNECTION_STRING",
  "AzureWebJobsDisableHomepage",
  "AzureWebJobsStorage__blobServiceUri",
  "AzureWebJobsStorage__clientId",
  "AzureWebJobsStorage__credential",
];
/** Settings of other plans. Flex Consumption rejects or ignores them. */
const NOT_ON_FLEX =
  /^(WEBSITE_|FUNCTIONS_WORKER_RUNTIME|FUNCTIONS_EXTENSION_VERSION|SCM_DO_BUILD|ENABLE_ORYX|AzureWebJobsStorage$|AzureWebJobsDashboard|APPINSIGHTS_)/;

const readPlain = async () => settingsOf(await deployMain());
const readEverything = async () => settingsOf(await deployMain(EVERYTHING));

describeWithBicep("settings", () => {
  test("are exactly the settings of the service and the platform", async () => {
    const plain = await readPlain();
    const ofService = Object.keys(SETTINGS).filter((name) => name !== "LOCAL_TENANT_URL");
    expect(Object.keys(plain).sort()).toEqual([...ofService, ...PLATFORM_SETTINGS].sort());
    expect(Object.keys(await readEverything()).sort()).toEqual(Object.keys(plain).sort());
  });

  test("contain no setting of another plan", async () => {
    expect(Object.keys(await readPlain()).filter((name) => NOT_ON_FLEX.test(name))).toEqual([]);
  });

  test.for(Object.keys(SETTINGS).filter((name) => name !== "LOCAL_TENANT_URL") as SettingName[])(
    "%s has the form that the service accepts",
    async (name) => {
      for (const settings of [await readPlain(), await readEverything()]) {
        const given = settings[name] ?? "";
        // An empty setting counts as not set. A value that only Azure knows cannot be checked here.
        if (given !== "" && isKnown(given)) {
          expect(SETTINGS[name].form.safeParse(given).success, `${given} must be ${SETTINGS[name].mustBe}`).toBe(true);
        }
      }
    },
  );

  test("contain every required setting", async () => {
    const plain = await readPlain();
    for (const [name, setting] of Object.entries(SETTINGS)) {
      if (setting.required === "always") {
        expect(plain[name]).not.toBe("");
      }
    }
  });

  test("contain the policy unchanged, and the service accepts it", async () => {
    const parsed = parsePolicy((await readPlain())["POLICY"] ?? "");
    expect(parsed).toHaveProperty("policy.callers.1.unattended", true);
    expect(parsed).toHaveProperty("policy.apis.graph.scopes", ["User.Read", "Mail.Read"]);
  });

  test("contain an example policy without errors and warnings", async () => {
    const parsed = parsePolicy((await readPlain())["POLICY"] ?? "");
    expect("policy" in parsed ? policyFindings(parsed.policy) : parsed.problems).toEqual([]);
  });

  test("have the values of the example parameters", async () => {
    const deployment = await deployMain();
    const site = the(deployment, "Microsoft.Web/sites");
    const identity = the(deployment, "Microsoft.ManagedIdentity/userAssignedIdentities");
    expect(settingsOf(deployment)).toMatchObject({
      CLOUD: "public",
      APP_ID_URI: `api://${TENANT_ID}/graph-token-exchange`,
      CLIENT_CREDENTIAL: "managed-identity",
      CLIENT_SECRET_NAME: "",
      CLIENT_CERTIFICATE_NAME: "",
      GRANT_REAP: "dry-run",
      ALLOW_GUESTS: "false",
      V1_TOKEN_AUDIENCES: "",
      APP_ONLY_CLIENT_ID: "",
      REDIS_URL: "",
      EVENT_GRID_TOPIC_ENDPOINT: "",
      EVENT_WEBHOOK_URL: "",
      OTEL_EXPORTER_OTLP_ENDPOINT: "",
      SERVICE_URL: `[format('https://{0}', ${reference(site, "defaultHostName")})]`,
      MANAGED_IDENTITY_CLIENT_ID: `[${reference(identity, "clientId")}]`,
      GRANT_STORE_URL: expect.stringMatching(/^https:\/\/stexample[a-z0-9]+\.table\.core\.windows\.net$/),
      KEY_VAULT_URL: expect.stringMatching(/^https:\/\/kv-example-[a-z0-9]+\.vault\.azure\.net$/),
    });
  });

  test("have the values of the parameters with all options", async () => {
    const deployment = await deployMain(EVERYTHING);
    const redis = the(deployment, "Microsoft.Cache/redisEnterprise");
    expect(settingsOf(deployment)).toMatchObject({
      APP_ID_URI: "https://tokens.example.com/gte",
      CLIENT_CREDENTIAL: "key-vault-secret",
      CLIENT_SECRET_NAME: "client-secret",
      ALLOW_GUESTS: "true",
      V1_TOKEN_AUDIENCES: "api://one,api://two",
      APP_ONLY_CLIENT_ID: EVERYTHING.appOnly.clientId,
      APP_ONLY_CLIENT_SECRET_NAME: "app-only-client-secret",
      REDIS_URL: `[format('rediss://{0}:{1}', ${reference(redis, "hostName")}, 10000)]`,
      CACHE_KEY_NAME: "cache-key",
      EVENT_WEBHOOK_URL: EVERYTHING.eventWebhookUrl,
      EVENT_WEBHOOK_SECRET_NAME: "event-webhook-secret",
      OTEL_EXPORTER_OTLP_ENDPOINT: "https://otlp.example.com",
      OTEL_EXPORTER_OTLP_HEADERS_SECRET_NAME: "otlp-headers",
      OTEL_SERVICE_NAME: "gte-example",
      OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
      OTEL_TRACES_SAMPLER_ARG: "0.25",
      SERVICE_URL: "https://tokens.example.com",
    });
  });

  test("switch off the page that the host shows at /", async () => {
    expect(settingsOf(await deployMain())["AzureWebJobsDisableHomepage"]).toBe("true");
  });

  test("give the host only the managed identity for storage and telemetry", async () => {
    const deployment = await deployMain();
    const clientId = reference(the(deployment, "Microsoft.ManagedIdentity/userAssignedIdentities"), "clientId");
    const account = the(deployment, "Microsoft.Storage/storageAccounts");
    const telemetry = the(deployment, "Microsoft.Insights/components");
    expect(settingsOf(deployment)).toMatchObject({
      AzureWebJobsStorage__credential: "managedidentity",
      AzureWebJobsStorage__clientId: `[${clientId}]`,
      AzureWebJobsStorage__blobServiceUri: `[${reference(account, "primaryEndpoints.blob")}]`,
      APPLICATIONINSIGHTS_CONNECTION_STRING: `[${reference(telemetry, "ConnectionString")}]`,
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: `[format('ClientId={0};Authorization=AAD', ${clientId})]`,
    });
  });
});
