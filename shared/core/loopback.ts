/** The hosts of the machine itself, as `URL.hostname` spells them. */
const LOOPBACK_HOSTS: readonly string[] = ["127.0.0.1", "[::1]", "localhost"];

/** True for a URL whose host is this machine. `url` must be one that `URL` can parse. */
export function isLoopbackUrl(url: string): boolean {
  return LOOPBACK_HOSTS.includes(new URL(url).hostname);
}
