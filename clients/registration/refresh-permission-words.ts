/**
 * Prints the words for the delegated permissions of Microsoft Graph, as Microsoft publishes them for the people who
 * consent: `shared/pages/permission-words/graph-en.json`. The arguments: a file with Graph's service principal, and the
 * source that the printed file names.
 *
 *     npm pack @microsoft/teamsfx-core@3.1.3 && tar xzf microsoft-teamsfx-core-3.1.3.tgz
 *     npm run -s words:refresh -- package/build/component/driver/aad/permissions/permissions.json \
 *       "npm @microsoft/teamsfx-core 3.1.3" > shared/pages/permission-words/graph-en.json
 *
 * The German words are this project's own: Microsoft's package has English only.
 */
import { readFileSync } from "node:fs";
import { GRAPH_APP_ID } from "../../shared/core/graph-resource.ts";

interface Principal {
  readonly appId: string;
  readonly oauth2PermissionScopes: readonly {
    readonly value: string;
    readonly userConsentDisplayName: string | null;
  }[];
}

/** The license of the source: the words are text of Microsoft. */
const LICENSE = [
  "MIT License",
  "Copyright (c) Microsoft Corporation",
  'Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:',
  "The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.",
  'THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.',
];

const [file = "", source = ""] = process.argv.slice(2);
const read = JSON.parse(readFileSync(file, "utf8")) as readonly Principal[] | { readonly value: readonly Principal[] };
const principals = "value" in read ? read.value : read;
const graph = principals.find(({ appId }) => appId === GRAPH_APP_ID);
if (graph === undefined) throw new Error(`${file} does not contain the service principal of Microsoft Graph`);
const words = graph.oauth2PermissionScopes
  .map(
    ({ value, userConsentDisplayName }) =>
      [value, (userConsentDisplayName ?? "").replaceAll(/\s+/g, " ").trim()] as const,
  )
  .filter(([name, shown]) => name !== "" && shown !== "")
  .sort(([one], [other]) => (one < other ? -1 : 1));
process.stdout.write(`${JSON.stringify({ source, license: LICENSE, words: Object.fromEntries(words) }, null, 2)}\n`);
