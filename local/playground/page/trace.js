/** What a flow did: outcome, timeline, request and answer, tokens, decision, code. */
import { drawPart, drawTimeline } from "./timeline.js";
import { card, codeBlock, element, pill, statusKind, tabs } from "./view.js";

const CLAIMS = [
  ["aud", "for whom"],
  ["azp", "issued to the client"],
  ["appid", "issued to the client"],
  ["oid", "on behalf of"],
  ["scp", "may"],
  ["roles", "may"],
  ["exp", "until"],
];

export function drawTrace(trace, { flow, person, caller, chosen, names }) {
  const kind = trace.succeeded ? "good" : "bad";
  const head = element(
    "div",
    { class: "result-head" },
    element("h2", {}, trace.title),
    element("p", { class: "quiet" }, `${flow.about} `),
    element(
      "p",
      { class: "who" },
      element("strong", {}, person),
      " through ",
      element("strong", {}, caller),
      caller === chosen ? "" : `. ${chosen} cannot run this flow.`,
    ),
    element("p", { class: `outcome ${kind}`, id: "outcome" }, trace.outcome),
  );
  const parts = [head, card("What happens", drawTimeline(trace.events))];
  if (trace.main) parts.push(drawMain(trace.main));
  const tokens = distinctTokens(trace.events);
  const pair = [
    ...(tokens.length > 0 ? [drawTokens(tokens, names)] : []),
    ...(trace.decision ? [drawDecision(trace.decision)] : []),
  ];
  parts.push(...pair);
  if (trace.snippets.length > 0) parts.push(drawCode(trace.snippets));
  return parts;
}

function drawMain({ request, response, status }) {
  const shown = { ...response, line: `${status}` };
  const title = element(
    "p",
    { class: "main-line" },
    element("code", {}, request.line),
    pill(String(status), statusKind(status)),
  );
  return card(
    "The request and its answer",
    title,
    element("div", { class: "parts" }, drawPart("Request", request), drawPart("Answer", shown)),
  );
}

/** The last two kinds of token: what the caller has, and what the service gave. */
function distinctTokens(events) {
  const all = events.flatMap((event) => (event.kind === "message" ? event.tokens : []));
  return [...new Map(all.map((token) => [token.title, token])).values()];
}

function drawTokens(tokens, names) {
  const columns = tokens.map(({ title, text, header, claims }) => {
    const rows = CLAIMS.filter(([name]) => claims[name] !== undefined).map(([name, words]) =>
      element(
        "div",
        {},
        element("dt", {}, element("code", {}, name), " ", wordsFor(name, words, claims)),
        element("dd", {}, ...shownValue(name, claims[name], names)),
      ),
    );
    const all = element(
      "details",
      {},
      element("summary", {}, "All claims"),
      codeBlock(JSON.stringify({ header, claims }, undefined, 2), `All claims: ${title}`),
    );
    return element(
      "div",
      { class: "token" },
      element("h4", {}, title),
      element("p", { class: "quiet" }, element("code", {}, text)),
      element("dl", {}, ...rows),
      all,
    );
  });
  return card("Tokens, decoded", element("div", { class: "parts" }, ...columns));
}

/** The token of an application is for the application itself. */
function wordsFor(name, words, { idtyp }) {
  return name === "oid" && idtyp === "app" ? "is" : words;
}

function shownValue(name, value, names) {
  if (name === "exp") return [new Date(value * 1000).toISOString().replace(".000Z", "Z")];
  const text = Array.isArray(value) ? value.join(" ") : String(value);
  return Object.hasOwn(names, text)
    ? [names[text], element("br", {}), element("code", { class: "quiet" }, text)]
    : [text];
}

function drawDecision({ question, allowed, answer, remark }) {
  const { entry, reason } = JSON.parse(answer);
  const because = [entry && `by the entry ${entry}`, reason].filter(Boolean).join(", ");
  const verdict = element(
    "p",
    { class: "main-line" },
    pill(allowed ? "allowed" : "refused", allowed ? "good" : "bad"),
    element("span", {}, because),
    element("span", { class: "quiet" }, "erin asks ", element("code", {}, "POST /policy/explain")),
  );
  const parts = element("div", { class: "parts" });
  for (const [title, text] of [
    ["Question", question],
    ["Decision", answer],
  ]) {
    parts.append(
      element("div", { class: "part" }, element("h4", {}, title), codeBlock(text, `${title} about the policy`)),
    );
  }
  const remarks = remark ? [element("p", { class: "main-line" }, remark)] : [];
  return card("The policy’s decision", verdict, ...remarks, parts);
}

function drawCode(snippets) {
  const entries = snippets.map(({ language, title, code }) => ({
    id: language,
    title,
    body: drawSnippet(title, code),
  }));
  return card("The same call", ...tabs("Language", entries));
}

function drawSnippet(title, code) {
  const copy = element("button", { type: "button", class: "copy" }, "Copy");
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(code);
    copy.textContent = "Copied";
  });
  return element("div", { class: "snippet" }, copy, codeBlock(code, `The call as ${title}`));
}
