/**
 * The demo's steps, in order.
 */
import { applicationSteps } from "./application-steps.ts";
import { challengeSteps } from "./challenge-steps.ts";
import { commandLineSteps } from "./command-line-steps.ts";
import { checkStatus, type DemoStep } from "./demo-step.ts";
import { exchangeSteps } from "./exchange-steps.ts";
import { grantSteps } from "./grant-steps.ts";
import { policySteps } from "./policy-steps.ts";
import { recoverySteps } from "./recovery-steps.ts";
import { refusalSteps } from "./refusal-steps.ts";
import { relaySteps } from "./relay-steps.ts";
import { signInSteps } from "./sign-in-steps.ts";

const healthSteps: readonly DemoStep[] = [
  {
    name: "The service answers its liveness check",
    run: async (demo) => checkStatus(await demo.ask("/healthz"), 200),
  },
  {
    name: "The service is ready: signing keys, credential and grant store work",
    run: async (demo) => checkStatus(await demo.ask("/ready"), 200),
  },
];

export const demoSteps: readonly DemoStep[] = [
  ...healthSteps,
  ...exchangeSteps,
  ...refusalSteps,
  ...grantSteps,
  ...signInSteps,
  ...recoverySteps,
  ...challengeSteps,
  ...applicationSteps,
  ...relaySteps,
  ...policySteps,
  ...commandLineSteps,
];
