import { expect, test } from "vitest";
import { createCacheSecret } from "../../../../shared/cache/redis/cache-secret.ts";
import { fail, type Result, succeed } from "../../../../shared/core/result.ts";
import { SecretValue } from "../../../../shared/core/secret-value.ts";
import { SECRET } from "./support/level.ts";

type Read = Result<{ readonly value: SecretValue }, { readonly kind: string }>;

function setUp(...answers: (Read | Error)[]) {
  const clock = { now: 0 };
  const problems: string[] = [];
  const reads = { count: 0 };
  const secret = createCacheSecret({
    read: async () => {
      const answer = answers[Math.min(reads.count, answers.length - 1)];
      reads.count += 1;
      if (answer instanceof Error || answer === undefined) throw answer;
      return answer;
    },
    steadyMs: () => clock.now,
    onProblem: (problem) => problems.push(problem),
  });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return { clock, problems, reads, secret, settle };
}

const good = (value = SECRET): Read => succeed({ value: new SecretValue(value) });

test("the cache secret is read once and stays in memory", async () => {
  const { secret, reads } = setUp(good());
  await secret.ready();
  expect(secret.current()).toEqual(Buffer.alloc(32, 7));
  await secret.ready();
  secret.current();
  expect(reads.count).toBe(1);
});

test("before the first read there is no cache secret, and no caller waits for it", () => {
  expect(setUp(good()).secret.current()).toBeUndefined();
});

test("the cache secret is read again after an hour, in the background", async () => {
  const next = Buffer.alloc(32, 9);
  const { clock, secret, settle } = setUp(good(), good(next.toString("base64url")));
  await secret.ready();
  clock.now = 60 * 60_000 - 1;
  secret.current();
  await settle();
  expect(secret.current()).toEqual(Buffer.alloc(32, 7));
  clock.now += 1;
  expect(secret.current()).toEqual(Buffer.alloc(32, 7));
  await settle();
  expect(secret.current()).toEqual(next);
});

test("after a failed read the last cache secret stays in use; without one the next read follows after half a minute", async () => {
  const { clock, secret, problems, reads, settle } = setUp(fail({ kind: "vault_timeout" }), good(), new Error("bug"));
  await secret.ready();
  expect(secret.current()).toBeUndefined();
  expect(reads.count).toBe(1);
  clock.now = 30_000;
  await secret.ready();
  expect(secret.current()).toBeDefined();
  clock.now += 60 * 60_000;
  secret.current();
  await settle();
  expect(secret.current()).toBeDefined();
  expect(problems).toEqual(["vault_timeout", "internal"]);
});

test.each(["", "short", `${SECRET}AAAA`, "!".repeat(44)])(
  "%j is refused: the cache secret must be 32 bytes",
  async (value) => {
    const { secret, problems } = setUp(good(value));
    await secret.ready();
    expect(secret.current()).toBeUndefined();
    expect(problems).toEqual(["not_32_bytes"]);
  },
);
