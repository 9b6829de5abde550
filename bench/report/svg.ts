/** Draws plots as SVG: bars, and lines over logarithmic axes. No script, no font; for light and dark pages. */
import type { Plot } from "../scenario.ts";

const WIDTH = 720;
const COLOURS = ["#2f6fab", "#c2571a", "#4a7d3a"] as const;
const STYLE =
  "text{font:13px system-ui,sans-serif;fill:#333}.t{font-weight:600;font-size:15px}.g{stroke:#8884}@media(prefers-color-scheme:dark){text{fill:#ddd}}";

export function toSvg(plot: Plot): string {
  const { height, body } = plot.kind === "bars" ? bars(plot) : lines(plot);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(plot.title)}">`,
    `<style>${STYLE}</style>`,
    `<text class="t" x="16" y="26">${escaped(plot.title)}</text>`,
    ...body,
    "</svg>\n",
  ].join("\n");
}

// ---------------------------------------------------------------------------------------------------------------

function bars({ bars: all, unit }: Extract<Plot, { kind: "bars" }>) {
  const left = 300;
  const most = Math.max(...all.map(({ value }) => value), 0.000_001);
  const body = all.flatMap(({ label, value }, index) => {
    const y = 48 + index * 34;
    const width = (Math.max(value, 0) / most) * (WIDTH - left - 110);
    return [
      `<text x="${left - 10}" y="${y + 16}" text-anchor="end">${escaped(label)}</text>`,
      `<rect x="${left}" y="${y}" width="${width.toFixed(1)}" height="22" rx="3" fill="${COLOURS[0]}"/>`,
      `<text x="${left + width + 8}" y="${y + 16}">${value.toFixed(value < 10 ? 2 : 0)} ${escaped(unit)}</text>`,
    ];
  });
  return { height: 64 + all.length * 34, body };
}

function lines({ lines: all, xLabel, yLabel }: Extract<Plot, { kind: "lines" }>) {
  const [top, bottom, left, right] = [48, 320, 76, WIDTH - 24];
  const points = all.flatMap((line) => line.points);
  const x = logScale(
    points.map(([value]) => value),
    left,
    right,
  );
  const y = logScale(
    points.map(([, value]) => value),
    bottom,
    top,
  );
  const body = [
    ...x.ticks.flatMap((tick) => [
      `<line class="g" x1="${x.at(tick)}" x2="${x.at(tick)}" y1="${top}" y2="${bottom}"/>`,
      `<text x="${x.at(tick)}" y="${bottom + 20}" text-anchor="middle">${tick.toLocaleString("en")}</text>`,
    ]),
    ...y.ticks.flatMap((tick) => [
      `<line class="g" x1="${left}" x2="${right}" y1="${y.at(tick)}" y2="${y.at(tick)}"/>`,
      `<text x="${left - 8}" y="${y.at(tick) + 4}" text-anchor="end">${tick}</text>`,
    ]),
    `<text x="${(left + right) / 2}" y="${bottom + 44}" text-anchor="middle">${escaped(xLabel)}</text>`,
    `<text x="${left - 60}" y="${top - 8}">${escaped(yLabel)}</text>`,
    ...all.flatMap(({ label, points: own }, index) => {
      const colour = COLOURS[index % COLOURS.length];
      const path = own.map(([px, py]) => `${x.at(px).toFixed(1)},${y.at(py).toFixed(1)}`);
      const [lastX = 0, lastY = 0] = (path.at(-1) ?? "").split(",").map(Number);
      return [
        `<polyline points="${path.join(" ")}" fill="none" stroke="${colour}" stroke-width="2.5"/>`,
        ...path.map(
          (point) => `<circle cx="${point.split(",")[0]}" cy="${point.split(",")[1]}" r="4" fill="${colour}"/>`,
        ),
        `<text x="${lastX}" y="${lastY - 12}" text-anchor="end" style="fill:${colour}">${escaped(label)}</text>`,
      ];
    }),
  ];
  return { height: bottom + 60, body };
}

/** A logarithmic scale with ticks at the powers of ten around the values. */
function logScale(values: readonly number[], from: number, to: number) {
  const usable = values.filter((value) => value > 0);
  const low = Math.floor(Math.log10(Math.min(...usable)));
  const high = Math.max(Math.ceil(Math.log10(Math.max(...usable))), low + 1);
  const at = (value: number) => from + ((Math.log10(Math.max(value, 10 ** low)) - low) / (high - low)) * (to - from);
  return { at, ticks: Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index)) };
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
