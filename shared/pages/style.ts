/** The style sheet of all pages. Text has a contrast of at least 4.5 to 1 (WCAG 2.2 AA), in both colour schemes. */
export const STYLE = `
:root { color-scheme: light dark;
  --page: #f3f4f7; --card: #ffffff; --text: #1b1f27; --quiet: #545c6b; --line: #d6dae2; --field: #f6f7f9;
  --accent: #1f57c3; --accent-text: #ffffff; --accent-over: #17459c; --note: #fff6dc; --note-line: #b07c00; }
@media (prefers-color-scheme: dark) { :root {
  --page: #12151b; --card: #1b2029; --text: #e8ebf1; --quiet: #a6afbf; --line: #39414f; --field: #12161d;
  --accent: #8fb4ff; --accent-text: #0c1a36; --accent-over: #b3ccff; --note: #2c2615; --note-line: #d3a63a; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 2.5rem 1rem; background: var(--page); color: var(--text);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main, header, footer { max-width: 42rem; margin: 0 auto; }
main { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 2rem; }
header { padding: 0 2rem .75rem; color: var(--quiet); font-size: .9375rem; overflow-wrap: anywhere; }
header strong { color: var(--text); }
footer { padding: 1rem 2rem; color: var(--quiet); font-size: .875rem; overflow-wrap: anywhere; }
main > :last-child { margin-bottom: 0; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .75rem; overflow-wrap: anywhere; text-wrap: balance; }
h2 { font-size: 1.0625rem; margin: 2rem 0 .5rem; }
p { margin: 0 0 1rem; }
dl { margin: 1.5rem 0; border-top: 1px solid var(--line); }
dl > div { display: grid; grid-template-columns: 11rem 1fr; gap: .25rem 1rem; padding: .75rem 0;
  border-bottom: 1px solid var(--line); }
dt { color: var(--quiet); } dd { margin: 0; overflow-wrap: anywhere; }
dd ul { margin: 0; padding: 0; list-style: none; }
.quiet { color: var(--quiet); font-size: .9375rem; }
code { font: .875rem/1.5 ui-monospace, "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
code { overflow-wrap: anywhere; }
a { color: var(--accent); }
.note { background: var(--note); border-left: .25rem solid var(--note-line); border-radius: .25rem;
  padding: .75rem 1rem; margin: 1.5rem 0; }
.choice { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.5rem 0 0; }
.after { margin-top: 1.5rem; }
.links { padding: 0; list-style: none; } .links li { margin: 1rem 0; }
.person { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: center; gap: .5rem 1rem;
  margin: 0 0 1rem; }
.person p { margin: 0; }
button { font: inherit; font-weight: 600; min-height: 2.75rem; padding: .5rem 1.25rem; border-radius: .5rem;
  border: 1px solid var(--accent); background: transparent; color: var(--accent); cursor: pointer; }
button.main { background: var(--accent); color: var(--accent-text); }
button:hover { border-color: var(--accent-over); color: var(--accent-over); }
button.main:hover { background: var(--accent-over); color: var(--accent-text); }
button.small { min-height: 2rem; padding: .125rem .75rem; font-size: .875rem; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
@media (max-width: 34rem) { body { padding: 1rem .5rem; } main { padding: 1.25rem; } header { padding: .25rem 1.25rem .75rem; } footer { padding: 1rem 1.25rem; }
  dl > div { grid-template-columns: 1fr; } .choice button { flex: 1 1 100%; } }
@media (forced-colors: active) { button, main { border: 1px solid; } }
`;
