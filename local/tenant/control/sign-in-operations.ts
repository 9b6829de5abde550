/**
 * Orders that act as a person at the sign-in pages, for tests and the demo: no browser, no password.
 */

import type { DeviceCodeRecord } from "../oauth/device-codes.ts";
import type { UnattendedSignInTenant } from "../sign-in/without-browser.ts";
import { type Answers, signInWithoutBrowser } from "../sign-in/without-browser.ts";

export interface SignInInput extends Answers {
  /** An `/authorize` URL, as a client would open it. */
  url: string;
}

export interface DeviceDecisionInput extends Answers {
  /** Default: the newest that nobody has decided. */
  userCode?: string;
}

export function createSignInOperations(tenant: UnattendedSignInTenant) {
  const pending = (userCode: string | undefined): DeviceCodeRecord => {
    const { deviceCodes } = tenant;
    const found = userCode === undefined ? deviceCodes.pending().at(-1) : deviceCodes.pendingByUserCode(userCode);
    if (found === undefined) throw new TypeError(`no device waits for ${userCode ?? "anybody"}`);
    return found;
  };
  return {
    /** Goes through every page as this person; the answer is where the browser would be sent. */
    signIn: ({ url, ...answers }: SignInInput) => {
      const params = [...new URL(url).searchParams];
      const response = signInWithoutBrowser(tenant, { kind: "authorize", params }, answers);
      const location = response.headers.get("location");
      if (location === null) throw new TypeError("the sign-in ended on a page of the tenant, not at the client");
      return { location };
    },
    /** The person enters the user code, signs in, meets every demand and consents. */
    approveDeviceCode: ({ userCode, ...answers }: DeviceDecisionInput = {}) => {
      const record = pending(userCode);
      signInWithoutBrowser(tenant, { kind: "device", userCode: record.userCode }, answers);
      return { userCode: record.userCode, approved: record.decision !== "pending" && record.decision !== "declined" };
    },
    declineDeviceCode: ({ userCode }: { userCode?: string } = {}) => {
      const record = pending(userCode);
      record.decision = "declined";
      return { userCode: record.userCode };
    },
    /** Devices that wait, oldest first. */
    listDeviceCodes: () => tenant.deviceCodes.pending().map(({ userCode, clientId }) => ({ userCode, clientId })),
    /** What `/devicecode` tells clients to wait between polls; 5 at Entra. */
    setDeviceCodeInterval: (input: { seconds: number }) => {
      tenant.deviceCodes.intervalSeconds = input.seconds;
    },
  };
}
