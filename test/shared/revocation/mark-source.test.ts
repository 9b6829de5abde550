import { expect, test } from "vitest";
import { createMarkSource } from "../../../shared/revocation/mark-source.ts";

const TIMES = { freshMs: 10, maxAgeMs: 20, retryMs: 2 };

function setUp() {
  const clock = { ms: 1_000 };
  const reads: PromiseWithResolvers<boolean>[] = [];
  const read = () => {
    const next = Promise.withResolvers<boolean>();
    reads.push(next);
    return next.promise;
  };
  const source = createMarkSource({ read, steadyMs: () => clock.ms, ...TIMES });
  return { clock, reads, source };
}

test("marks are current until 20 ms after the beginning of their read", async () => {
  const { clock, reads, source } = setUp();
  expect(source.isCurrent()).toBe(false);
  const current = source.becomeCurrent();
  clock.ms += 5;
  reads[0]?.resolve(true);
  expect(await current).toBe(true);
  clock.ms += 15;
  expect(source.isCurrent()).toBe(true);
  clock.ms += 1;
  expect(source.isCurrent()).toBe(false);
});

test("a read that began too long ago is followed by another", async () => {
  const { clock, reads, source } = setUp();
  source.isCurrent();
  clock.ms += 60;
  const current = source.becomeCurrent();
  reads[0]?.resolve(true);
  await expect.poll(() => reads.length).toBe(2);
  reads[1]?.resolve(true);
  expect(await current).toBe(true);
});

test("after a failed read, requests do not wait for another until the pause is over", async () => {
  const { clock, reads, source } = setUp();
  const current = source.becomeCurrent();
  reads[0]?.resolve(false);
  expect(await current).toBe(false);
  expect(await source.becomeCurrent()).toBe(false);
  expect(reads.length).toBe(1);
  clock.ms += TIMES.retryMs;
  const again = source.becomeCurrent();
  reads[1]?.resolve(true);
  expect(await again).toBe(true);
});
