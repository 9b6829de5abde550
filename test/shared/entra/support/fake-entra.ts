/** An Entra client with an `Outbound` that answers from a list and records requests, and a list of credentials. */
import { CLOUD_NAMES, cloudNamed } from "../../../../shared/config/clouds.ts";
import type { Failure } from "../../../../shared/core/failure.ts";
import { fail, type Result, succeed } from "../../../../shared/core/result.ts";
import { SecretValue } from "../../../../shared/core/secret-value.ts";
import type { ClientCredential } from "../../../../shared/credential/client-credential.ts";
import { type CredentialSource, createEntraClient } from "../../../../shared/entra/entra-client.ts";
import type { EntraClient } from "../../../../shared/entra/entra-token.ts";
import type {
  Outbound,
  OutboundFailure,
  OutboundRequest,
  OutboundResponse,
} from "../../../../shared/outbound/outbound.ts";
import { CLIENT_ID, NOW_MS, TENANT_ID, tokenAnswer } from "./entra-answers.ts";

type Answer = OutboundResponse | OutboundFailure;

export interface FakeEntra {
  readonly client: EntraClient;
  readonly posted: OutboundRequest[];
  /** Versions that were reported as refused. */
  readonly refused: string[];
  /** Versions that were reported as accepted. */
  readonly accepted: readonly string[];
  /** Milliseconds that the client waited before second attempts. */
  readonly waits: readonly number[];
  /** The form of the latest request. */
  form(): URLSearchParams;
}

export interface FakeEntraOptions {
  /** Used in order; the last one is repeated. */
  readonly answers?: readonly Answer[];
  /** Used in order; the last one is repeated. */
  readonly credentials?: readonly Result<ClientCredential, Failure>[];
  /** The result of `refused`: is there another version? */
  readonly another?: boolean;
  /** How long each response takes. */
  readonly answerMs?: number;
}

export const CALLBACK_URL = "https://gte.example/oauth2/callback";

export function secret(version: string): Result<ClientCredential, Failure> {
  return succeed({ kind: "secret", value: new SecretValue(`secret-${version}`), version });
}

export function fakeEntra(options: FakeEntraOptions = {}): FakeEntra {
  const { answers = [tokenAnswer()], credentials = [secret("v1")], another = false, answerMs = 0 } = options;
  const posted: OutboundRequest[] = [];
  const refused: string[] = [];
  const accepted: string[] = [];
  const waits: number[] = [];
  let elapsedMs = 0;
  const outbound: Outbound = {
    send(request) {
      posted.push(request);
      elapsedMs += answerMs;
      const answer = nth(answers, posted.length);
      return Promise.resolve("kind" in answer ? fail(answer) : succeed(answer));
    },
  };
  let requested = 0;
  const credential: CredentialSource = {
    current() {
      requested += 1;
      return Promise.resolve(nth(credentials, requested));
    },
    refused(version) {
      refused.push(version);
      return Promise.resolve(another);
    },
    accepted: (version) => void accepted.push(version),
    lookAgainSeconds: () => undefined,
  };
  const client = createEntraClient({
    cloud: cloudNamed(CLOUD_NAMES[0], ""),
    tenantId: TENANT_ID,
    clientId: CLIENT_ID,
    callbackUrl: CALLBACK_URL,
    credential,
    outbound,
    nowMs: () => NOW_MS + elapsedMs,
    steadyMs: () => elapsedMs,
    pause(milliseconds) {
      waits.push(milliseconds);
      elapsedMs += milliseconds;
      return Promise.resolve();
    },
  });
  return { client, posted, refused, accepted, waits, form: () => new URLSearchParams(posted.at(-1)?.body) };
}

/** The nth item of a list, counted from one; after its end, the last item. */
function nth<T>(list: readonly T[], position: number): T {
  const item = list[Math.min(position, list.length) - 1];
  if (item === undefined) throw new Error("the list is empty");
  return item;
}
