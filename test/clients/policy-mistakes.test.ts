/**
 * Typical mistakes in a policy, and the whole output of `npm run policy -- check` for each. Read the snapshots as an
 * administrator would: does the message say where the mistake is and what to write instead?
 */
import { rmSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { createPolicyTool } from "./support/policy-tool.ts";

const tool = createPolicyTool();
afterAll(() => rmSync(tool.folder, { recursive: true, force: true }));

const POLICY = `{
  "apis": {
    "graph": { "resource": "https://graph.microsoft.com", "scopes": ["User.Read", "Mail.Read"] }
  },
  "callers": [
    {
      "name": "scripts",
      "kind": "user",
      "clientId": "11111111-0000-4000-8000-111111111111",
      "flows": ["on-behalf-of"],
      "apis": { "graph": ["User.Read", "Mail.Read"] }
    },
    {
      "name": "nightly-flow",
      "kind": "application",
      "clientId": "22222222-0000-4000-8000-222222222222",
      "flows": ["refresh-token"],
      "apis": { "graph": ["User.Read", "Mail.Read"] },
      "offlineAccess": true,
      "unattended": true,
      "grantMaxDays": 30
    }
  ]
}
`;

/** The output for the policy with one change, and the exit code if it is not 1. */
function mistake(from: string, to: string): string {
  expect(POLICY).toContain(from);
  return check(POLICY.replace(from, to));
}

function check(content: string | Uint8Array, name = "policy.json"): string {
  const { code, out, notes } = tool.run("check", tool.write(name, content));
  return `\n${code === 1 ? "" : `exit code ${code}\n`}${out}${notes}`;
}

const SCRIPTS = '"graph": ["User.Read", "Mail.Read"] }\n    },';
const scripts = (list: string) => `"graph": [${list}] }\n    },`;

test("the policy without a mistake has no finding", () => {
  expect(tool.run("check", tool.write("policy.json", POLICY))).toMatchObject({
    code: 0,
    notes: "policy.json: 0 errors, 0 warnings\n",
  });
});

describe("JSON", () => {
  test("a trailing comma", () => {
    expect(mistake('"grantMaxDays": 30\n', '"grantMaxDays": 30,\n')).toMatchInlineSnapshot(`
      "
      policy.json:21:25: error: a comma before } is not allowed in JSON; remove it
        21 |       "grantMaxDays": 30,
           |                         ^
        effect:  the service does not start with this policy

      policy.json: 1 error, 0 warnings
      "
    `);
  });

  test("comments", () => {
    expect(
      mistake('"flows": ["on-behalf-of"],', '// how\n      "flows": ["on-behalf-of"], /* only this */'),
    ).toMatchInlineSnapshot(`
      "
      policy.json:10:7: error: a comment is not allowed in JSON; remove it
        10 |       // how
           |       ^^^^^^
        effect:  the service does not start with this policy

      policy.json:11:34: error: a comment is not allowed in JSON; remove it
        11 |       "flows": ["on-behalf-of"], /* only this */
           |                                  ^^^^^^^^^^^^^^^
        effect:  the service does not start with this policy

      policy.json: 2 errors, 0 warnings
      "
    `);
  });

  test("a member that repeats", () => {
    expect(mistake('"kind": "user",', '"kind": "user",\n      "kind": "application",')).toMatchInlineSnapshot(`
      "
      policy.json:9:15: error: entry scripts: kind appears more than once; write it once
        9 |       "kind": "application",
          |               ^^^^^^^^^^^^^
        effect:  the service does not start with this policy

      policy.json: 1 error, 0 warnings
      "
    `);
  });

  test("text in single quotes", () => {
    expect(mistake('"kind": "user"', "\"kind\": 'user'")).toMatchInlineSnapshot(`
      "
      policy.json:8:15: error: text must be in double quotes
        8 |       "kind": 'user',
          |               ^^^^^^
        effect:  the service does not start with this policy

      policy.json: 1 error, 0 warnings
      "
    `);
  });

  test("an object that is not closed", () => {
    expect(check(POLICY.slice(0, -3))).toMatchInlineSnapshot(`
      "
      policy.json:23:4: error: a } must be here: an object is not closed
        23 |   ]
           |    ^
        effect:  the service does not start with this policy

      policy.json: 1 error, 0 warnings
      "
    `);
  });

  test("a comma after the brace that opens an object", () => {
    expect(mistake('"apis": {\n    "graph": {', '"apis": {, "graph": {')).toMatchInlineSnapshot(`
      "
      policy.json:2:12: error: the name of a member or } must be here
        2 |   "apis": {, "graph": { "resource": "https://graph.microsoft.com", "scopes": ["User.Read", "Mail.Read"] }
          |            ^
        effect:  the service does not start with this policy

      policy.json: 1 error, 0 warnings
      "
    `);
  });

  test("a YAML file", () => {
    expect(check("apis:\n  graph:\n    resource: https://graph.microsoft.com\n", "policy.yaml")).toMatchInlineSnapshot(`
      "
      policy.yaml:1:1: error: the file is YAML, not JSON; write it as JSON
        1 | apis:
          | ^^^^^
        effect:  the service does not start with this policy

      policy.yaml: 1 error, 0 warnings
      "
    `);
  });

  test("an empty file", () => {
    expect(check("\n")).toMatchInlineSnapshot(`
      "
      policy.json:1:1: error: the file is empty
        effect:  the service does not start with this policy

      policy.json: 1 error, 0 warnings
      "
    `);
  });

  test("a file in UTF-16, as PowerShell 5.1 redirects output", () => {
    expect(check(Buffer.from(`\ufeff${POLICY}`, "utf16le"))).toMatchInlineSnapshot(`
      "
      policy.json:1:1: error: the file is not UTF-8; save it as UTF-8 (Windows PowerShell: Set-Content -Encoding utf8)
        effect:  the service does not start with this policy

      policy.json: 1 error, 0 warnings
      "
    `);
  });

  test("a byte order mark and CRLF, which are no mistake, do not move the positions", () => {
    expect(
      check(`\ufeff${POLICY.replace('"kind": "user"', '"kind": "users"').replaceAll("\n", "\r\n")}`),
    ).toMatchInlineSnapshot(`
      "
      policy.json:8:15: error: entry scripts: kind must be one of user, application
        8 |       "kind": "users",
          |               ^^^^^^^
        meaning: \`user\`: a person who uses a client. \`application\`: an application that calls for itself. One client may have an entry of each kind. Example: "application"
        effect:  the service does not start with this policy

      policy.json: 1 error, 0 warnings
      "
    `);
  });
});

describe("members and values", () => {
  test("a misspelt member", () => {
    expect(mistake('"flows": ["on-behalf-of"]', '"flow": ["on-behalf-of"]')).toMatchInlineSnapshot(`
      "
      policy.json:10:7: error: entry scripts has an unknown member: flow; did you mean flows?
        10 |       "flow": ["on-behalf-of"],
           |       ^^^^^^
        effect:  the service does not start with this policy

      policy.json: 1 error, 0 warnings
      "
    `);
  });

  test("a missing kind", () => {
    expect(mistake('      "kind": "user",\n', "")).toMatchInlineSnapshot(`
      "
      policy.json:6:5: error: entry scripts: kind is missing; it must be one of user, application
        6 |     {
          |     ^
        meaning: \`user\`: a person who uses a client. \`application\`: an application that calls for itself. One client may have an entry of each kind. Example: "application"
        effect:  the service does not start with this policy

      policy.json: 1 error, 0 warnings
      "
    `);
  });

  test("the wrong case of a flow", () => {
    expect(mistake('["on-behalf-of"]', '["On-Behalf-Of"]')).toMatchInlineSnapshot(`
      "
      policy.json:10:17: error: entry scripts: "On-Behalf-Of" in flows must be one of on-behalf-of, refresh-token, authorization-code, client-credentials; did you mean on-behalf-of?
        10 |       "flows": ["On-Behalf-Of"],
           |                 ^^^^^^^^^^^^^^
        meaning: The flows that the caller may use. Example: ["on-behalf-of","refresh-token"]
        effect:  the service does not start with this policy

      policy.json: 1 error, 0 warnings
      "
    `);
  });

  test("a wrong GUID", () => {
    expect(
      mistake("11111111-0000-4000-8000-111111111111", "11111111-0000-4000-8000-11111111111"),
    ).toMatchInlineSnapshot(`
      "
      policy.json:9:19: error: entry scripts: clientId must be a GUID
        9 |       "clientId": "11111111-0000-4000-8000-11111111111",
          |                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        meaning: Client id of the calling app (\`azp\` or \`appid\` of its tokens). Exactly one of this and \`blueprint\`. Example: "22222222-3333-4444-5555-666666666666"
        effect:  the service does not start with this policy

      policy.json: 1 error, 0 warnings
      "
    `);
  });

  test("a name instead of a GUID", () => {
    expect(mistake("11111111-0000-4000-8000-111111111111", "My script client")).toMatchInlineSnapshot(`
      "
      policy.json:9:19: error: entry scripts: clientId must be a GUID
        9 |       "clientId": "My script client",
          |                   ^^^^^^^^^^^^^^^^^^
        meaning: Client id of the calling app (\`azp\` or \`appid\` of its tokens). Exactly one of this and \`blueprint\`. Example: "22222222-3333-4444-5555-666666666666"
        effect:  the service does not start with this policy

      policy.json: 1 error, 0 warnings
      "
    `);
  });

  test("grantMaxDays 400", () => {
    expect(mistake('"grantMaxDays": 30', '"grantMaxDays": 400')).toMatchInlineSnapshot(`
      "
      policy.json:21:23: error: entry nightly-flow: grantMaxDays must be at most 365
        21 |       "grantMaxDays": 400
           |                       ^^^
        meaning: Lifetime of a grant in days. Example: 30
        effect:  the service does not start with this policy

      policy.json: 1 error, 0 warnings
      "
    `);
  });

  test("text instead of a list", () => {
    expect(mistake('["on-behalf-of"]', '"on-behalf-of"')).toMatchInlineSnapshot(`
      "
      policy.json:10:16: error: entry scripts: flows must be a list
        10 |       "flows": "on-behalf-of",
           |                ^^^^^^^^^^^^^^
        meaning: The flows that the caller may use. Example: ["on-behalf-of","refresh-token"]
        effect:  the service does not start with this policy

      policy.json: 1 error, 0 warnings
      "
    `);
  });
});

describe("APIs and scopes", () => {
  test("a misspelt scope", () => {
    expect(mistake(SCRIPTS, scripts('"User.Raed", "Mail.Read"'))).toMatchInlineSnapshot(`
      "
      policy.json:11:27: error: entry scripts: "User.Raed" in apis.graph is not in apis.graph.scopes; did you mean User.Read?
        11 |       "apis": { "graph": ["User.Raed", "Mail.Read"] }
           |                           ^^^^^^^^^^^
        effect:  the service does not start with this policy

      policy.json: 1 error, 0 warnings
      "
    `);
  });

  test("a scope with its resource", () => {
    expect(
      mistake('"scopes": ["User.Read"', '"scopes": ["https://graph.microsoft.com/User.Read"'),
    ).toMatchInlineSnapshot(`
      "
      policy.json:3:70: error: "https://graph.microsoft.com/User.Read" in apis.graph.scopes has a resource in front; write User.Read
        3 |     "graph": { "resource": "https://graph.microsoft.com", "scopes": ["https://graph.microsoft.com/User.Read", …
          |                                                                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        effect:  the service does not start with this policy

      policy.json: 1 error, 0 warnings
      "
    `);
  });

  test("a scope that apis does not list", () => {
    expect(mistake(SCRIPTS, scripts('"User.Read", "Mail.Read", "Files.Read.All"'))).toMatchInlineSnapshot(`
      "
      policy.json:11:53: error: entry scripts: "Files.Read.All" in apis.graph is not in apis.graph.scopes
        11 |       "apis": { "graph": ["User.Read", "Mail.Read", "Files.Read.All"] }
           |                                                     ^^^^^^^^^^^^^^^^
        effect:  the service does not start with this policy

      policy.json: 1 error, 0 warnings
      "
    `);
  });

  test("offline_access as a scope", () => {
    expect(mistake(SCRIPTS, scripts('"User.Read", "Mail.Read", "offline_access"'))).toMatchInlineSnapshot(`
      "
      policy.json:11:53: error: entry scripts: "offline_access" in apis.graph is a scope of OpenID Connect; openid, profile, email and offline_access must not be listed
        11 |       "apis": { "graph": ["User.Read", "Mail.Read", "offline_access"] }
           |                                                     ^^^^^^^^^^^^^^^^
        effect:  the service does not start with this policy

      policy.json: 1 error, 0 warnings
      "
    `);
  });

  test(".default with other scopes, in an entry for people", () => {
    expect(
      check(
        POLICY.replace('"Mail.Read"] }\n  },', '"Mail.Read", ".default"] }\n  },').replace(
          SCRIPTS,
          scripts('"User.Read", "Mail.Read", ".default"'),
        ),
      ),
    ).toMatchInlineSnapshot(`
      "
      exit code 0
      scripts (user 11111111-0000-4000-8000-111111111111)
        may use the flows on-behalf-of
        may have graph: User.Read Mail.Read .default
        may bypass the token cache 10 times a minute for each user
      nightly-flow (application 22222222-0000-4000-8000-222222222222)
        may use the flows refresh-token
        may have graph: User.Read Mail.Read
        may get grants that last 30 days
        may redeem grants without the user
        may bypass the token cache 10 times a minute for each user
      policy.json:11:26: warning: entry scripts: apis.graph has .default beside other scopes, in an entry with a flow that acts for a person
        11 |       "apis": { "graph": ["User.Read", "Mail.Read", ".default"] }
           |                          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        effect:  a request for .default asks Entra for each consented scope, and gets no other token than a request without scopes
        remedy:  remove .default from this list

      policy.json: 0 errors, 1 warning
      "
    `);
  });

  test("an unknown API", () => {
    expect(
      mistake(
        '"apis": { "graph": ["User.Read", "Mail.Read"] }\n    },',
        '"apis": { "graf": ["User.Read", "Mail.Read"] }\n    },',
      ),
    ).toMatchInlineSnapshot(`
      "
      policy.json:11:17: error: entry scripts: apis names graf, which is not in apis; apis has graph
        11 |       "apis": { "graf": ["User.Read", "Mail.Read"] }
           |                 ^^^^^^
        effect:  the service does not start with this policy

      policy.json: 1 error, 0 warnings
      "
    `);
  });

  test("a narrower list than another caller of the same registration", () => {
    expect(mistake(SCRIPTS, scripts('"User.Read"'))).toMatchInlineSnapshot(`
      "
      policy.json:11:26: error: entry scripts: apis.graph lacks Mail.Read, which nightly-flow has with the same registration
        11 |       "apis": { "graph": ["User.Read"] }
           |                          ^^^^^^^^^^^^^
        effect:  a caller gets 500 scope_surplus on every call for graph: Entra puts Mail.Read into each token of the registration
        remedy:  one of
          - set "release": "none" for scripts and relay rules for graph in "downstream": it calls the API without a token
          - give scripts a registration of its own: add it to "registrations" and name it in "registration"
          - use the same list: add Mail.Read to graph of scripts, or remove it from nightly-flow

      policy.json: 1 error, 0 warnings
      "
    `);
  });
});

describe("callers and flows", () => {
  test("the same client twice", () => {
    expect(
      mistake(
        '"kind": "application",\n      "clientId": "22222222-0000-4000-8000-222222222222",',
        '"kind": "user",\n      "clientId": "11111111-0000-4000-8000-111111111111",',
      ),
    ).toMatchInlineSnapshot(`
      "
      policy.json:13:5: error: entry nightly-flow has the same kind and clientId as scripts (line 6); each caller must match one entry only
        13 |     {
           |     ^
        effect:  the service does not start with this policy

      policy.json:20:21: error: entry nightly-flow has kind user and unattended, which only kind application may have
        20 |       "unattended": true,
           |                     ^^^^
        effect:  the service does not start with this policy

      policy.json: 2 errors, 0 warnings
      "
    `);
  });

  test("offlineAccess without the flow refresh-token", () => {
    expect(
      mistake('"flows": ["on-behalf-of"],', '"flows": ["on-behalf-of"], "offlineAccess": true,'),
    ).toMatchInlineSnapshot(`
      "
      policy.json:10:51: error: entry scripts has offlineAccess without the flow refresh-token; add the flow or remove offlineAccess
        10 |       "flows": ["on-behalf-of"], "offlineAccess": true,
           |                                                   ^^^^
        effect:  the service does not start with this policy

      policy.json: 1 error, 0 warnings
      "
    `);
  });

  test("an application with refresh-token and without unattended", () => {
    expect(check(POLICY.replace(/ {6}"offlineAccess": true,\n {6}"unattended": true,\n/, ""))).toMatchInlineSnapshot(`
      "
      policy.json:17:7: error: entry nightly-flow has the flow refresh-token without unattended, so it can redeem no grant
        17 |       "flows": ["refresh-token"],
           |       ^^^^^^^
        effect:  each request with this flow gets 403 unattended_not_allowed
        remedy:  one of
          - set "unattended": true
          - remove the flow refresh-token

      policy.json: 1 error, 0 warnings
      "
    `);
  });

  test("an application whose on-behalf-of can exchange nothing", () => {
    expect(mistake('["refresh-token"]', '["refresh-token", "on-behalf-of"]')).toMatchInlineSnapshot(`
      "
      policy.json:17:16: error: entry nightly-flow has the flow on-behalf-of, but no entry of kind user with its registration has the client id 22222222-0000-4000-8000-222222222222
        17 |       "flows": ["refresh-token", "on-behalf-of"],
           |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        effect:  each request with this flow gets 403 subject_client_not_allowed
        remedy:  one of
          - add an entry of kind user with the scopes, for the client that obtains the users' tokens
          - name that client in subjectClients
          - remove the flow on-behalf-of

      policy.json: 1 error, 0 warnings
      "
    `);
  });

  test("client-credentials for a person", () => {
    expect(mistake('["on-behalf-of"]', '["client-credentials"]')).toMatchInlineSnapshot(`
      "
      policy.json:10:16: error: entry scripts has kind user and the flow client-credentials, which only kind application may have
        10 |       "flows": ["client-credentials"],
           |                ^^^^^^^^^^^^^^^^^^^^^^
        effect:  the service does not start with this policy

      policy.json: 1 error, 0 warnings
      "
    `);
  });

  test("a redirect URI with a wildcard", () => {
    expect(
      mistake(
        '["refresh-token"],',
        '["refresh-token", "authorization-code"], "redirectUris": ["https://app.example.com/*"],',
      ),
    ).toMatchInlineSnapshot(`
      "
      policy.json:17:74: error: entry nightly-flow: "https://app.example.com/*" in redirectUris must be an https URI, or http on localhost, in normalized spelling, without user, fragment and wildcard
        17 |       "flows": ["refresh-token", "authorization-code"], "redirectUris": ["https://app.example.com/*"],
           |                                                                          ^^^^^^^^^^^^^^^^^^^^^^^^^^^
        meaning: For \`authorization-code\`: the allowed redirect URIs, compared character by character. Example: []
        effect:  the service does not start with this policy

      policy.json: 1 error, 0 warnings
      "
    `);
  });

  test("a redirect URI with http", () => {
    expect(
      mistake(
        '["refresh-token"],',
        '["refresh-token", "authorization-code"], "redirectUris": ["http://app.example.com/callback"],',
      ),
    ).toMatchInlineSnapshot(`
      "
      policy.json:17:74: error: entry nightly-flow: "http://app.example.com/callback" in redirectUris must be an https URI, or http on localhost, in normalized spelling, without user, fragment and wildcard
        17 |       "flows": ["refresh-token", "authorization-code"], "redirectUris": ["http://app.example.com/callback"],
           |                                                                          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        meaning: For \`authorization-code\`: the allowed redirect URIs, compared character by character. Example: []
        effect:  the service does not start with this policy

      policy.json: 1 error, 0 warnings
      "
    `);
  });
});

describe("the relay", () => {
  test("release none without relay rules", () => {
    expect(mistake('"unattended": true,', '"unattended": true, "release": "none",')).toMatchInlineSnapshot(`
      "
      policy.json:18:26: error: entry nightly-flow: apis.graph can never be used: the entry has release "none" and no downstream rule for it
        18 |       "apis": { "graph": ["User.Read", "Mail.Read"] },
           |                          ^^^^^^^^^^^^^^^^^^^^^^^^^^
        effect:  the service does not start with this policy

      policy.json: 1 error, 0 warnings
      "
    `);
  });

  test("a relay rule with a path without a slash", () => {
    expect(
      mistake(
        '"unattended": true,',
        '"unattended": true, "release": "none", "downstream": { "graph": [{ "methods": ["GET"], "path": "v1.0/me" }] },',
      ),
    ).toMatchInlineSnapshot(`
      "
      policy.json:20:102: error: entry nightly-flow: downstream.graph.0.path must be a path such as /v1.0/me/messages/**: literal segments, * for one segment, ** at the end for one or more
        20 |       "unattended": true, "release": "none", "downstream": { "graph": [{ "methods": ["GET"], "path": "v1.0/me"…
           |                                                                                                      ^^^^^^^^^
        meaning: The path: \`*\` is one segment, a last \`**\` one or more. A segment that begins with \`$\` (except \`$value\`, \`$count\`, \`$ref\`) and Graph's \`/beta\` match only if the rule spells them out. Example: "/v1.0/me/messages/**"
        effect:  the service does not start with this policy

      policy.json: 1 error, 0 warnings
      "
    `);
  });
});
