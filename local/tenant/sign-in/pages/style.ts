/** The style sheet of the tenant's pages. Text has a contrast of at least 4.5 to 1 in both colour schemes (WCAG 2.2 AA). */
export const STYLE = `
:root { color-scheme: light dark;
  --page: #eef0f5; --glow: #dbe4f7; --card: #ffffff; --text: #1b1f27; --quiet: #565e6d; --line: #d6dae2; --field: #ffffff;
  --accent: #0b62b8; --accent-text: #ffffff; --over: #f3f6fb; --bad: #a3322b; --bad-soft: #fdecea; --avatar: #e4ecf9; }
@media (prefers-color-scheme: dark) { :root {
  --page: #11141a; --glow: #1b2536; --card: #1c2129; --text: #e8ebf1; --quiet: #a7b0bf; --line: #3a424f; --field: #12161d;
  --accent: #7cb8ff; --accent-text: #08203c; --over: #252c37; --bad: #ff9d94; --bad-soft: #3b1d1b; --avatar: #283650; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; grid-template-columns: minmax(0, 27.5rem); justify-content: center;
  align-content: center; gap: 1rem; padding: 1.5rem 1rem; color: var(--text);
  background: radial-gradient(60rem 30rem at 50% 0, var(--glow), transparent) var(--page);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 2rem;
  box-shadow: 0 .5rem 2rem #0000001a; overflow-wrap: anywhere; }
footer { text-align: center; text-wrap: balance; color: var(--quiet); font-size: .875rem; }
h1 { font-size: 1.375rem; line-height: 1.25; margin: 1.25rem 0 .75rem; text-wrap: balance; }
p { margin: 0 0 1rem; }
.tenant { display: flex; align-items: center; gap: .625rem; margin: 0; font-weight: 600; }
.tenant span { display: grid; place-items: center; width: 2rem; height: 2rem; border-radius: .5rem; background: var(--accent);
  color: var(--accent-text); }
.person { display: flex; align-items: center; gap: .75rem; padding: .375rem .75rem .375rem .375rem; margin: 0 0 1rem;
  border: 1px solid var(--line); border-radius: 2rem; width: fit-content; max-width: 100%; }
.avatar { flex: none; display: grid; place-items: center; width: 2.25rem; height: 2.25rem; border-radius: 50%;
  background: var(--avatar); font-size: .875rem; font-weight: 600; }
.note, small { color: var(--quiet); font-size: .875rem; }
.note { margin: 1rem 0 0; }
label { display: block; margin: 0 0 1rem; font-weight: 600; }
input { display: block; width: 100%; margin-top: .25rem; font: inherit; color: inherit; background: var(--field);
  border: 1px solid var(--quiet); border-radius: .5rem; padding: .5rem .75rem; min-height: 2.75rem; }
button { font: inherit; font-weight: 600; min-height: 2.75rem; padding: .5rem 1.25rem; border-radius: .5rem; cursor: pointer;
  border: 1px solid var(--accent); background: transparent; color: var(--accent); }
button.main { background: var(--accent); color: var(--accent-text); }
.choice { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1.25rem; }
.accounts { margin: 0 -.75rem .5rem; border-bottom: 1px solid var(--line); padding-bottom: .75rem; }
.accounts button { display: flex; align-items: center; gap: .75rem; width: 100%; padding: .5rem .75rem; text-align: left;
  border-color: transparent; color: inherit; font-weight: 400; line-height: 1.3; }
.accounts button:hover { background: var(--over); }
.accounts strong { font-weight: 600; }
details { margin-top: .75rem; } summary { cursor: pointer; color: var(--accent); margin-bottom: .75rem; }
#scopes { list-style: none; margin: 0 0 1rem; padding: 0; border-top: 1px solid var(--line); }
#scopes li { padding: .625rem 0; border-bottom: 1px solid var(--line); }
#scopes code { display: block; color: var(--quiet); }
.phone { display: grid; justify-items: center; gap: .5rem; margin: 0 0 1.25rem; padding: 1.25rem; border-radius: .75rem;
  background: var(--over); text-align: center; }
.phone svg { width: 2.5rem; height: 2.5rem; fill: none; stroke: var(--accent); stroke-width: 1.5; }
.phone p { margin: 0; }
[role="alert"] { padding: .625rem 1rem; border-radius: .5rem; border-left: .25rem solid var(--bad); background: var(--bad-soft);
  color: var(--bad); }
#user-code { font: 1.5rem/1.5 ui-monospace, Menlo, Consolas, monospace; letter-spacing: .15em; text-transform: uppercase; }
code { font: .875rem/1.5 ui-monospace, "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
@media (max-width: 30rem) { main { padding: 1.5rem 1.25rem; } .choice button { flex: 1 1 100%; } }
`;
