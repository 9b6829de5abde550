/**
 * Loaded into the service's process before its own code (NODE_OPTIONS). A signal moves the service's clock ahead, and
 * the next signal moves it back. The clock of the browser does not move, so it still sends cookies that have expired for
 * the service.
 */
const AHEAD_MS = 11 * 60_000;

const trueNow = Date.now.bind(Date);
let moves = 0;
Date.now = () => trueNow() + (moves % 2) * AHEAD_MS;
process.on("SIGUSR2", () => {
  moves += 1;
  process.stdout.write(`clock moved ${moves} times\n`);
});
