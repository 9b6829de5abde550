/** Everything that the Markdown files name exists: files, anchors, npm scripts, routes, settings, template parameters. */
import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import { SETTINGS } from "../../shared/config/settings.ts";
import { parsePolicy } from "../../shared/policy/parse-policy.ts";
import { anchors, codeSpans, fences, markdownFile, markdownFiles, prose, root } from "./support/markdown.ts";
import { liveRoutes, matchesTemplate } from "./support/routes.ts";

const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: Record<string, string> };
const METHODS = "GET|HEAD|POST|PUT|PATCH|DELETE";
const routes = liveRoutes();

describe.each(markdownFiles)("$path", ({ path, text }) => {
  test("links to existing files and headings", () => {
    expect(linksOf(text).filter((link) => !leadsSomewhere(path, link))).toEqual([]);
  });

  test("a link text that is a file name equals the name of the linked file", () => {
    expect(linkedFiles(text).filter(({ label, target }) => label !== basename(target))).toEqual([]);
  });

  test("names existing npm scripts", () => {
    const named = [...text.matchAll(/npm run (?:-s )?([\w:-]+)/g)].map(([, name]) => name ?? "");
    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });

  test("names existing routes with their methods", () => {
    const named = codeSpans(text).flatMap(routesIn);
    const missing = named.filter(
      ([method, target]) =>
        !routes.some(({ template, methods }) => methods.includes(method) && matchesTemplate(template, target)),
    );
    expect(missing.map((route) => route.join(" "))).toEqual([]);
  });

  test("names existing settings", () => {
    const named = codeSpans(text).filter((span) => /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$/.test(span));
    expect(named.filter((name) => !Object.hasOwn(SETTINGS, name) && !NOT_OURS.includes(name))).toEqual([]);
  });
});

describe("documents for administrators", () => {
  test.each(["docs/deploy.md", "docs/operate.md", "docs/troubleshooting.md"])(
    "%s names only parameters and outputs of the templates",
    (path) => {
      const templates = ["main.bicep", "entra/entra.bicep", "types/deployment.bicep", "modules/identity.bicep"]
        .map((name) => readFileSync(join(root, "infra", name), "utf8"))
        .join("\n");
      const named = codeSpans(markdownFile(path).text).filter((span) => /^[a-z]+([A-Z][a-z]+)+$/.test(span));
      const unknown = named.filter((name) => !new RegExp(`\\b${name}\\b`).test(templates) && !isOurs(name));
      expect(unknown).toEqual([]);
    },
  );

  test("docs/operate.md has a section for every alert of the template", () => {
    const alerts = ["alerts", "change-alerts"]
      .map((name) => readFileSync(join(root, `infra/modules/${name}.bicep`), "utf8"))
      .join("\n");
    const titles = [...alerts.matchAll(/title: '(.+)'/g)].map(([, title]) => title ?? "");
    expect(titles.length).toBeGreaterThan(3);
    expect(titles.filter((title) => !markdownFile("docs/operate.md").text.includes(`### ${title}\n`))).toEqual([]);
  });

  test("docs/operate.md explains every check of /ready", () => {
    const readiness = readFileSync(join(root, "functions/composition/readiness.ts"), "utf8");
    const checks = /readonly checks: \{([\s\S]*?)\n {2}\};/.exec(readiness)?.[1] ?? "";
    const names = [...checks.matchAll(/readonly (\w+)/g)].map(([, name]) => name ?? "");
    expect(names.length).toBeGreaterThan(3);
    const section = /^## Readiness$[\s\S]*?^## /m.exec(markdownFile("docs/operate.md").text)?.[0] ?? "";
    const example = JSON.parse(fences(section, "json")[0] ?? "{}");
    expect(Object.keys(example.checks)).toEqual(names);
    expect(names.filter((name) => !section.includes(`\`${name}\` \`unavailable\``))).toEqual([]);
  });

  test("docs/power-automate.md shows a policy entry that the service accepts", () => {
    const entry = JSON.parse(fences(markdownFile("docs/power-automate.md").text, "json")[0] ?? "");
    const apis = { graph: { resource: "https://graph.microsoft.com", scopes: entry.apis.graph } };
    expect(parsePolicy(JSON.stringify({ apis, callers: [entry] }))).not.toHaveProperty("problems");
  });

  test("every JSON example is JSON", () => {
    for (const { path, text } of markdownFiles) {
      for (const example of fences(text, "json")) {
        expect(() => JSON.parse(example), `${path}: ${example}`).not.toThrow();
      }
    }
  });
});

describe("commands that start gte: the package of that name in the npm registry is not this project's", () => {
  const sources = globSync("{clients,local}/**/*.ts", { cwd: root });
  const files = [...sources.map((path) => ({ path, text: readFileSync(join(root, path), "utf8") })), ...markdownFiles];

  test("no document and no message contains a command with which npx could download it", () => {
    expect(sources).toContain(join("clients", "cli", "started-as.ts"));
    expect(files.flatMap(({ path, text }) => downloadingCommands(text).map((found) => `${path}: ${found}`))).toEqual(
      [],
    );
  });

  test.each([
    ["npx gte login", ["npx gte"]],
    ["(plain `npx\ngte`)", ["npx\ngte"]],
    ["npx -y gte@latest login", ["npx -y gte"]],
    ["npx --no gte --help", ["npx --no gte"]],
    ["npm exec -- gte login", ["npm exec -- gte"]],
    ["npx --no -- gte login", []],
    ["npx --package=./graph-token-exchange-cli-0.1.0.tgz gte login", []],
    ["npx vitest run; gte login", []],
  ])("the test finds the downloading command in %j", (text, found) => {
    expect(downloadingCommands(text)).toEqual(found);
  });
});

describe("the helpers of this test", () => {
  test("find link texts that are file names", () => {
    const found = linkedFiles("[a.ts](src/b.ts), [a.md](docs/a.md#part), [shared/a.ts](shared/a.ts), [word](c.ts)");
    expect(found).toEqual([
      { label: "a.ts", target: "src/b.ts" },
      { label: "a.md", target: "docs/a.md" },
      { label: "a.ts", target: "shared/a.ts" },
    ]);
  });

  test("find broken links and split routes by method", () => {
    expect(leadsSomewhere("README.md", "nowhere.md")).toBe(false);
    expect(leadsSomewhere("README.md", "#no-such-heading")).toBe(false);
    expect(leadsSomewhere("README.md", "README.md#try-it")).toBe(true);
    expect(routesIn("GET|POST /Validate")).toEqual([
      ["GET", "/Validate"],
      ["POST", "/Validate"],
    ]);
  });
});

/** `--no` alone is not enough: npx reads the options after it as its own. */
function downloadingCommands(text: string): string[] {
  return [...text.matchAll(/\bnp(?:x|m\s+exec)\s+(?:-\S*\s+)*gte\b/g)]
    .map(([command]) => command)
    .filter((command) => !/\s--no\s+--\s|\s--package=/.test(command));
}

/** The documents name these variables; the platform, the runtime or a tool of the repository sets them. */
const NOT_OURS = [
  "NODE_TLS_REJECT_UNAUTHORIZED",
  "NODE_EXTRA_CA_CERTS",
  "WEBSITE_INSTANCE_ID",
  "WEBSITE_SITE_NAME",
  "WEBSITE_POD_NAME",
  "REQUIRE_BICEP",
  "REQUIRE_ALL_CHECKS",
  "AZURE_CLIENT_ID",
  "AZURE_TENANT_ID",
  "AZURE_SUBSCRIPTION_ID",
  "AZURE_RESOURCE_GROUP",
  "AZURE_CLOUD",
  "LOCAL_FOLDER",
  "LOCAL_PLAYGROUND_URL",
  "LOCAL_POLICY",
  "GTE_GRAPH_TOKEN_FILE",
  "LOCAL_TENANT_PORT",
  "GTE_SERVICE",
  "GTE_CLIENT_ID",
  "GTE_TENANT",
  "GTE_CA_FILE",
  "GTE_HOME",
  "HTTPS_PROXY",
  "NO_PROXY",
  "UPDATE_DOCS",
  "OTEL_EXPORTER_OTLP_HEADERS",
];

/** Members of answers, of the policy and of the audit event; the documents name them beside the template's parameters. */
function isOurs(name: string): boolean {
  const sources = [
    "shared/policy/explain.ts",
    "shared/policy/rules.ts",
    "shared/audit/audit-event.ts",
    "shared/http/read-header-request.ts",
    "shared/http/read-policy-question.ts",
    "shared/http/write-answer.ts",
    "functions/composition/readiness.ts",
  ];
  return sources.some((path) => new RegExp(`\\b${name}\\b`).test(readFileSync(join(root, path), "utf8")));
}

function linksOf(text: string): string[] {
  return [...prose(text).matchAll(/(?<!!)\[[^\]]*\]\(([^)\s]+)\)/g)]
    .map(([, link]) => link ?? "")
    .filter((link) => !/^[a-z]+:/.test(link));
}

/** The links whose text is the name or path of a file. */
function linkedFiles(text: string): { label: string; target: string }[] {
  const links = prose(text).matchAll(/(?<!!)\[([^\]]*)\]\(([^)\s#]+)(?:#[^)]*)?\)/g);
  return [...links]
    .map(([, label = "", target = ""]) => ({ label: label.replaceAll("`", ""), target }))
    .filter(
      ({ label, target }) => /^[\w./-]+\.(?:ts|mjs|md|bicep|json|kql|yml)$/.test(label) && !/^[a-z]+:/.test(target),
    )
    .map(({ label, target }) => ({ label: basename(label), target }));
}

function leadsSomewhere(from: string, link: string): boolean {
  const [file = "", anchor] = link.split("#");
  const path = file === "" ? from : normalize(join(dirname(from), decodeURIComponent(file)));
  if (path.startsWith("..") || !existsSync(join(root, path))) return false;
  if (anchor === undefined || statSync(join(root, path)).isDirectory()) return anchor === undefined;
  return anchors(readFileSync(join(root, path), "utf8")).includes(anchor);
}

/** `GET|POST /path` gives one route per method; a query is ignored. */
function routesIn(span: string): [method: string, target: string][] {
  const found = new RegExp(`^((?:${METHODS})(?:\\|(?:${METHODS}))*) (/[^\\s?]*)`).exec(span);
  return (found?.[1] ?? "").split("|").flatMap((method) => (method === "" ? [] : [[method, found?.[2] ?? ""]]));
}
