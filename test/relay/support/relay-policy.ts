/** The policy of the relay's tests: people and applications with rules for the local tenant's Graph and Orders API. */
import { CLIENT_IDS } from "../../../local/tenant/directory/seed-ids.ts";
import { policyWith } from "../../support/policies.ts";

const WRITER_RULES = [
  { methods: ["GET", "HEAD"], path: "/v1.0/me" },
  { methods: ["GET", "HEAD"], path: "/v1.0/me/messages" },
  { methods: ["GET", "HEAD", "PATCH", "DELETE"], path: "/v1.0/me/messages/**" },
  { methods: ["POST"], path: "/v1.0/me/sendMail" },
  { methods: ["GET", "PUT"], path: "/v1.0/me/photo/$value" },
  { methods: ["GET", "PUT"], path: "/v1.0/me/drive/items/*/content" },
  { methods: ["PUT"], path: "/v1.0/me/drive/root:/Public/**" },
  { methods: ["POST"], path: "/v1.0/$batch" },
  { methods: ["GET"], path: "/beta/me" },
];

type Entries = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** The settings of a service whose people of the web application (`web-users`) have these rules and get no token. */
export function relaySettings(
  tenantUrl: string,
  rules: readonly object[] = WRITER_RULES,
  more: Entries = {},
): Record<string, string> {
  const changes: Entries = {
    "web-users": {
      release: "none",
      apis: { graph: ["User.Read", "Mail.Read"], orders: ["Orders.Read"] },
      downstream: { graph: rules, orders: [{ methods: ["GET", "POST"], path: "/orders" }] },
    },
    daemon: { release: "none", downstream: { graph: rules } },
    reports: { release: "none", downstream: { graph: [{ methods: ["GET"], path: "/v1.0/users" }] } },
    ...more,
  };
  const POLICY = policyWith(({ apis, callers }) => {
    Object.assign(apis["orders"] ?? {}, { baseUrl: tenantUrl });
    callers.push({
      name: "stranger-users",
      kind: "user",
      clientId: CLIENT_IDS.stranger,
      flows: ["on-behalf-of"],
      apis: { graph: ["User.Read", "Mail.Read"] },
    });
    for (const entry of callers) Object.assign(entry, changes[entry.name]);
  });
  return { POLICY };
}
