/**
 * The layering of the code: functions/ → stories → stages → core/. `npm run check:structure` applies these rules, and
 * `test/structure/dependencies.test.ts` plants one forbidden import of each kind.
 */
const STORIES = "exchange|relay|sign-in|my-access|offline-access|keep-alive";
const STAGES =
  `admission|audit|cache|caller|client-authentication|config|credential|entra|events|flows|grants|http|outbound|pages|policy|policy-source
  |revocation|sealed-state|sealing|telemetry|throttling`.replaceAll(/\s/g, "");

/** Each vendor library is imported in its home only. */
const HOMES = [
  ["@azure/functions", "functions"],
  ["@azure/msal-node", "shared/entra"],
  ["@azure/(identity|keyvault-secrets)", "shared/credential"],
  ["@azure/data-tables", "shared/grants"],
  ["@redis/client", "shared/cache"],
  ["lru-cache", "shared/(cache|throttling)"],
  ["@opentelemetry", "shared/telemetry"],
  ["jose", "shared/(caller|sealing)"],
  ["zod", "shared/(config|http|policy)"],
  ["((node:)?(https?|http2|net|tls|dns)(/promises)?$|undici(/|$))", "shared/outbound"],
];

const PRODUCT = "^(functions|shared)/";
/** But `GET /openapi.json` serves a file of docs/. */
const TOOLS = "^(local|test|bench|mutation|soak|clients|connectors|infra|docs)/(?!openapi.json$)";
const stages = { path: `^shared/(${STAGES})/` };
const values = { dependencyTypesNot: ["type-only"] };
const cycle = { circular: true };
/** `environment.ts` parses the policy: it is the only file that sees the raw setting. */
const parser = "|^shared/policy/parse-policy.ts$";

const RULES = [
  ["no-cycle-of-files", {}, cycle],
  ["no-cycle-of-folders", { path: "^shared/" }, cycle, "folder"],
  ["core-imports-core-only", { path: "^shared/core/" }, { path: "^(shared/(?!core/)|functions/)" }],
  ["shared-knows-no-host", { path: "^shared/" }, { path: "^functions/" }],
  ["stages-call-no-story", stages, { path: `^shared/(${STORIES})/`, ...values }],
  ["stages-share-types-only", stages, { ...stages, pathNot: `^shared/$1/${parser}`, ...values }],
  ["config-alone-parses-policy", { ...stages, pathNot: "^shared/(config|policy)/" }, { path: parser.slice(1) }],
  ["local-shares-nothing", { path: "^local/" }, { path: PRODUCT }],
  ["product-without-tools", { path: PRODUCT }, { path: TOOLS }],
  ...HOMES.map(([library, home]) => [
    `home-of-${library}`,
    { path: PRODUCT, pathNot: `^${home}/` },
    { path: `(^|node_modules/)${library}` },
  ]),
];

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: RULES.map(([name, from, to, scope = "module"]) => ({ name, severity: "error", from, to, scope })),
  options: {
    doNotFollow: { path: "node_modules" },
    parser: "swc",
    enhancedResolveOptions: { extensions: [".ts", ".mjs"], conditionNames: ["import", "node"] },
  },
};
