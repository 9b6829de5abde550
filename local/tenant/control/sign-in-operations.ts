/**
 * Control operations that act as a user on the sign-in pages, without a browser and a password, for tests and the demo.
 */
import type { DeviceCodeRecord } from "../oauth/device-codes.ts";
import { type SignInAnswers, signInWithoutBrowser, type UnattendedSignInTenant } from "../sign-in/without-browser.ts";

export interface SignInInput extends SignInAnswers {
  /** An `/authorize` URL, as a client opens it. */
  url: string;
}

export interface DeviceDecisionInput extends SignInAnswers {
  /** Default: the newest pending code. */
  userCode?: string;
}

export function createSignInOperations(tenant: UnattendedSignInTenant) {
  const pending = (userCode: string | undefined): DeviceCodeRecord => {
    const { deviceCodes } = tenant;
    const found = userCode === undefined ? deviceCodes.pending().at(-1) : deviceCodes.pendingByUserCode(userCode);
    if (found === undefined) throw new TypeError(`no device waits for ${userCode ?? "a user"}`);
    return found;
  };
  return {
    /** Completes every page as this user. Returns the address to which the browser is redirected. */
    signIn: ({ url, ...answers }: SignInInput) => {
      const params = [...new URL(url).searchParams];
      const response = signInWithoutBrowser(tenant, { kind: "authorize", params }, answers);
      const location = response.headers.get("location");
      if (location === null) throw new TypeError("the sign-in ended on a page of the tenant, not at the client");
      return { location };
    },
    /** The user enters the user code, signs in, satisfies every demand and consents. */
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
    /** Waiting devices, oldest first. */
    listDeviceCodes: () => tenant.deviceCodes.pending().map(({ userCode, clientId }) => ({ userCode, clientId })),
    /** Sets the interval between polls in the answer of `/devicecode`. Entra sends 5. */
    setDeviceCodeInterval: (input: { seconds: number }) => {
      tenant.deviceCodes.intervalSeconds = input.seconds;
    },
  };
}
