/**
 * The unchanged service with additional functions for the benchmarks: one fills the token cache through its interface, one
 * returns the event-loop delay since the last call, one returns the memory of the process.
 */
import { randomBytes } from "node:crypto";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { app } from "@azure/functions";
import { compose, realSurroundings } from "../../functions/composition/compose.ts";
import { register } from "../../functions/register.ts";
import { configFrom } from "../../shared/config/environment.ts";
import { succeed } from "../../shared/core/result.ts";
import { SecretValue } from "../../shared/core/secret-value.ts";
import "./memory.ts";

const service = compose(configFrom(process.env), realSurroundings());
register(service);

const TOKEN_CHARACTERS = 1_800;

app.http("bench-seed", {
  authLevel: "anonymous",
  methods: ["POST"],
  route: "bench/seed/{count}",
  handler: async (request) => {
    for (let index = 0; index < Number(request.params["count"]); index++) {
      await seedOne();
    }
    return { status: 200, body: "seeded" };
  },
});

async function seedOne(): Promise<void> {
  const lookUp = { minimumSeconds: 0, bypass: false, notAfterSeconds: undefined, mayUse: () => true };
  const text = randomBytes((TOKEN_CHARACTERS * 3) / 4).toString("base64url");
  await service.exchangeContext.cache.getOrAcquire(
    { key: randomBytes(32).toString("base64url"), ...lookUp },
    async () =>
      succeed({
        accessToken: new SecretValue(text),
        expiresAtSeconds: Math.floor(Date.now() / 1_000) + 4_000,
        refreshAtSeconds: undefined,
        scopes: ["User.Read", "Mail.Read"],
        refreshToken: undefined,
        user: undefined,
      }),
  );
}

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();

app.http("bench-event-loop", {
  authLevel: "anonymous",
  methods: ["POST"],
  route: "bench/event-loop",
  handler: async () => {
    const toMs = (nanoseconds: number) => nanoseconds / 1e6;
    const jsonBody = {
      p50Ms: toMs(delay.percentile(50)),
      p99Ms: toMs(delay.percentile(99)),
      maxMs: toMs(delay.max),
    };
    delay.reset();
    return { status: 200, jsonBody };
  },
});
