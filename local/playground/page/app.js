/** The page's state: choices, the last trace, what is switched on. It asks the playground's server and draws the answers. */
import { drawTrace } from "./trace.js";
import { byId, element, replace } from "./view.js";

const GROUPS = [
  ["token", "Get what you need"],
  ["sign-in", "A person signs in"],
  ["grant", "The life of a grant"],
  ["refusal", "When the answer is no"],
];
const GRANT_STATES = {
  none: "There is no grant yet.",
  asked: "The link waits for its person. If you have answered it yourself, press “Use it”.",
  live: "The grant is live.",
  dead: "The grant is dead. Its refusal has a link. If you have answered it yourself, press “Use it”.",
  revoked: "The grant has been ended.",
};

/** The people, callers, flows and switches, which never change. */
const described = await ask("describe", { person: "alice" });
const state = { person: "alice", caller: "web", flow: "header", at: described.state };

byId("controls").addEventListener("submit", (event) => event.preventDefault());
await run("header");

/** On a phone the result is below the choices. */
function showResult(result) {
  if (window.matchMedia("(max-width: 68rem)").matches) result.scrollIntoView();
}

/** @returns {Promise<any>} */
async function ask(operation, input) {
  const response = await fetch(`/playground/${operation}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(input),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

async function run(id) {
  state.flow = id;
  const flow = described.flows.find((one) => one.id === id);
  drawChoices();
  const result = byId("result");
  result.setAttribute("aria-busy", "true");
  try {
    const skipCache = byId("skip-cache").checked;
    const { trace, state: at } = await ask("run", { flow: id, person: state.person, caller: state.caller, skipCache });
    state.at = at;
    drawChoices();
    const chosen = displayNameOf(described.callers, state.caller);
    replace(result, ...drawTrace(trace, { flow, names: described.names, chosen, ...namesOf(trace) }));
    byId("status").textContent = trace.outcome;
  } catch (error) {
    replace(result, element("p", { class: "empty", role: "alert" }, `The playground failed: ${String(error)}`));
  } finally {
    result.removeAttribute("aria-busy");
  }
}

async function toggle(id, on) {
  const answer = await ask("switch", { id, on, person: state.person });
  state.at = answer.state;
  if (on) byId("skip-cache").checked = true;
  drawChoices();
}

async function choosePerson(name) {
  state.person = name;
  state.at = (await ask("describe", { person: name })).state;
  drawChoices();
}

function namesOf({ person, caller }) {
  return { person: displayNameOf(described.people, person), caller: displayNameOf(described.callers, caller) };
}

function displayNameOf(list, name) {
  return list.find((one) => one.name === name).displayName;
}

function drawChoices() {
  const { people, callers, switches } = described;
  const focused = document.activeElement?.id;
  replace(byId("people"), ...people.map((person) => chip("person", person, state.person, choosePerson)));
  replace(byId("callers"), ...callers.map((caller) => chip("caller", caller, state.caller, chooseCaller)));
  byId("about-person").textContent = aboutOf(people, state.person);
  byId("about-caller").textContent = aboutOf(callers, state.caller);
  replace(byId("flows"), ...GROUPS.map(([group, title]) => drawGroup(group, title)));
  replace(byId("switches"), ...switches.map(drawSwitch));
  if (focused) document.getElementById(focused)?.focus();
}

function chooseCaller(name) {
  state.caller = name;
  drawChoices();
}

function aboutOf(list, name) {
  const { displayName, about } = list.find((one) => one.name === name);
  const verb = /^(a|an) /.test(about) ? ": " : " ";
  return `${displayName}${verb}${about}.`;
}

function chip(kind, { name, displayName }, chosen, choose) {
  const id = `${kind}-${name}`;
  const input = element("input", { type: "radio", name: kind, id, value: name });
  input.checked = name === chosen;
  input.addEventListener("change", () => choose(name));
  const short = kind === "person" ? displayName.split(" ")[0] : displayName.replace(/^Contoso /, "");
  return element("label", { class: "chip", for: id }, input, element("span", {}, short));
}

function drawGroup(group, title) {
  const flows = described.flows.filter((flow) => flow.group === group);
  const buttons = flows.map((flow) => {
    const button = element("button", { type: "button", id: `flow-${flow.id}`, title: flow.about }, flow.title);
    if (flow.id === state.flow) button.setAttribute("aria-current", "true");
    button.addEventListener("click", () => run(flow.id).then(() => showResult(byId("result"))));
    return element("li", {}, button);
  });
  const list = element(group === "grant" ? "ol" : "ul", { class: `flows ${group}` }, ...buttons);
  return element("fieldset", {}, element("legend", {}, title), list, ...(group === "grant" ? drawGrantState() : []));
}

function drawGrantState() {
  const { status, link } = state.at.grant;
  const text = element(
    "p",
    { class: "quiet", id: "grant-state" },
    element("span", { class: `dot ${status}` }),
    GRANT_STATES[status],
  );
  if (!link) return [text];
  const open = element(
    "a",
    { href: link, target: "_blank", rel: "noreferrer", id: "open-link" },
    "Open the link yourself",
  );
  text.append(" ", open, ". Your browser warns of the local tenant’s certificate.");
  return [text];
}

function drawSwitch({ id, title, about }) {
  const on = state.at.switches[id];
  const button = element(
    "button",
    { type: "button", role: "switch", "aria-checked": String(on), id: `switch-${id}`, title: about, class: "switch" },
    element("span", {}, title),
  );
  button.addEventListener("click", () => toggle(id, !on));
  return button;
}
