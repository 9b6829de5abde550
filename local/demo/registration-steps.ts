/**
 * Two callers with different rights. Entra puts every consented scope into a token, so each has its own registration.
 */
import { applicationToken, userToken } from "../caller/caller-token.ts";
import { bearer, check, checkStatus, type Demo, type DemoStep } from "./demo-step.ts";

export const registrationSteps: readonly DemoStep[] = [
  {
    name: "The web application may read mail: its registration has User.Read and Mail.Read",
    run: (demo) => exchangeAs(demo, "web", ["Mail.Read", "User.Read"], 200),
  },
  {
    name: "The intranet may not: its entry names a registration that has User.Read only",
    run: (demo) => exchangeAs(demo, "intranet", ["User.Read"], 403),
  },
  {
    name: "A token for the wrong registration is refused, and the challenge names the right scope",
    run: async (demo) => {
      const { environment } = demo;
      const wrong = { ...environment, callers: withoutAudiences(environment.callers) };
      const response = await demo.ask("/AuthorizationHeader/graph", {
        headers: bearer(await userToken(wrong, "alice", "intranet")),
      });
      checkStatus(response, 401);
      check(response.json()["code"] === "token_for_other_registration", "code token_for_other_registration");
      const scope = `${environment.callers["intranet"]?.audience ?? ""}/access_as_user`;
      check(String(response.headers["www-authenticate"]).includes(`scope="${scope}"`), `scope ${scope}`);
    },
  },
  {
    name: "An application without an entry learns nothing about registrations",
    run: async (demo) => {
      const headers = bearer(await applicationToken(demo.environment, "intranet"));
      const response = await demo.ask("/AuthorizationHeaderUnauthenticated/graph", { headers });
      checkStatus(response, 403);
      check(response.json()["code"] === "caller_not_listed", "code caller_not_listed");
    },
  },
];

// ---------------------------------------------------------------------------------------------------------------

/** Exchanges alice's token, checks the scopes, and reads her mail with the result. */
async function exchangeAs(demo: Demo, caller: string, scopes: readonly string[], mailStatus: number): Promise<void> {
  const response = await demo.ask("/AuthorizationHeader/graph", {
    headers: bearer(await userToken(demo.environment, "alice", caller)),
  });
  checkStatus(response, 200);
  const { headers, scopes: returned } = response.json();
  const sorted = Array.isArray(returned) ? returned.toSorted() : [];
  check(sorted.join(" ") === scopes.join(" "), `the scopes ${scopes.join(" ")}`);
  const mail = await demo.ask(`${demo.environment.graphUrl}/v1.0/me/messages`, {
    headers: headers as Record<string, string>,
  });
  checkStatus(mail, mailStatus);
}

function withoutAudiences<T extends object>(callers: Record<string, T>): Record<string, Omit<T, "audience">> {
  return Object.fromEntries(
    Object.entries(callers).map(([name, caller]) => [name, { ...caller, audience: undefined }]),
  );
}
