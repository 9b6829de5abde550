/** Who sends what to whom: one row a message, with an arrow between the lanes and the details below. */
import { codeBlock, element, pill, statusKind } from "./view.js";

const PARTIES = ["person", "caller", "service", "entra", "graph"];
const NAMES = { person: "Person", caller: "Caller", service: "Service", entra: "Entra", graph: "Graph" };

export function drawTimeline(events) {
  const heads = PARTIES.map((party) => element("span", { class: `head ${party}` }, NAMES[party]));
  const head = element(
    "div",
    { class: "row lane-heads", "aria-hidden": "true" },
    element("span", { class: "label" }),
    element("div", { class: "lanes" }, ...heads),
  );
  let number = 0;
  const next = () => {
    number += 1;
    return String(number);
  };
  const rows = events.flatMap((event) => (event.kind === "note" ? [drawNote(event)] : drawMessage(event, next)));
  return element("div", { class: "timeline" }, head, element("ol", {}, ...rows));
}

function drawNote({ text }) {
  return element("li", { class: "note" }, element("div", { class: "note-text" }, text));
}

/** A message during which others were sent has a row for the request and a row for the answer. */
function drawMessage(message, next) {
  const { from, to, title, nested } = message;
  if (nested.length === 0) return [drawRow({ from, to, title, message, answered: true, number: next() })];
  const request = drawRow({ from, to, title, message, answered: false, number: next() });
  const inner = nested.flatMap((one) => drawMessage(one, next));
  const back = drawRow({
    from: to,
    to: from,
    title: "the answer",
    message,
    answered: true,
    number: next(),
    dashed: true,
  });
  return [request, ...inner, back];
}

function drawRow({ from, to, title, message, answered, number, dashed = false }) {
  const label = element(
    "span",
    { class: "label" },
    element("span", { class: "number", "aria-hidden": "true" }, number),
    element("span", { class: "parties" }, `${NAMES[from]} to ${NAMES[to]}: `),
    element("span", { class: "title" }, title),
  );
  if (answered) label.append(pill(String(message.status), statusKind(message.status)));
  const arrow = element("span", { class: `arrow ${from}${dashed ? " dashed" : ""}` });
  const [start, end] = [PARTIES.indexOf(from), PARTIES.indexOf(to)];
  arrow.classList.add(end > start ? "right" : "left");
  arrow.style.gridColumn = `${2 * Math.min(start, end) + 2} / ${2 * Math.max(start, end) + 2}`;
  const lanes = element("span", { class: "lanes", "aria-hidden": "true" }, arrow);
  const summary = element("summary", { class: "row" }, label, lanes);
  const details = answered && dashed ? [drawPart("Answer", message.response)] : [drawPart("Request", message.request)];
  if (answered && !dashed) details.push(drawPart("Answer", message.response));
  return element("li", {}, element("details", {}, summary, element("div", { class: "parts" }, ...details)));
}

export function drawPart(title, { line, headers, body }) {
  const lines = [line, ...headers.map(([name, value]) => `${name}: ${value}`), ...(body === "" ? [] : ["", body])];
  return element("div", { class: "part" }, element("h4", {}, title), codeBlock(lines.join("\n"), title));
}
