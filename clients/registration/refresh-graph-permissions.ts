/**
 * Prints `graph-permissions.tsv` from Graph's service principal: one line for each permission, sorted by name. An argument
 * names the source, which the heading of the file repeats.
 *
 *     npm pack @microsoft/teamsfx-core@3.1.3 && tar xzf microsoft-teamsfx-core-3.1.3.tgz
 *     npm run -s registration:refresh -- package/build/component/driver/aad/permissions/permissions.json \
 *       "npm @microsoft/teamsfx-core 3.1.3" > clients/registration/graph-permissions.tsv
 *
 * A tenant's own list has the newest permissions:
 *
 *     az ad sp show --id 00000003-0000-0000-c000-000000000000 > graph.json
 */
import { readFileSync } from "node:fs";
import { GRAPH_APP_ID } from "../../shared/core/graph-resource.ts";
import type { Permission } from "./api.ts";
import { readServicePrincipals } from "./read-service-principals.ts";

/** The license of the source: its descriptions are text of Microsoft. */
const LICENSE = `Copyright (c) Microsoft Corporation. MIT License

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;

const [file = "", source = ""] = process.argv.slice(2);
const graph = readServicePrincipals(readFileSync(file, "utf8"))?.find(({ appId }) => appId === GRAPH_APP_ID);
if (graph === undefined) throw new Error(`${file} does not contain the service principal of Microsoft Graph`);
const heading = [
  "The permissions of Microsoft Graph: name, kind, id, consent (user or admin), description.",
  `Written by refresh-graph-permissions.ts. Source: ${source}`,
  ...LICENSE.split("\n"),
];
const lines = [
  ...heading.map((line) => `# ${line}`.trimEnd()),
  ...toLines(graph.delegated, "delegated"),
  ...toLines(graph.application, "application"),
];
process.stdout.write(`${lines.join("\n")}\n`);

function toLines(permissions: readonly Permission[], kind: string): string[] {
  return permissions
    .map(({ name, id, adminConsent, description }) =>
      [name, kind, id, adminConsent ? "admin" : "user", description.replaceAll(/\s+/g, " ").trim()].join("\t"),
    )
    .sort();
}
