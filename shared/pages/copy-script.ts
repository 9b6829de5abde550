/**
 * Copies a field to the clipboard and says so. The buttons are hidden until this runs: without scripts, a person selects
 * the text by hand and misses nothing.
 */
export const COPY_SCRIPT = `
const told = document.getElementById("told");
for (const button of document.querySelectorAll("button[data-copy]")) {
  const label = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(field.value ?? field.textContent);
      button.textContent = told.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(field);
      if (field.select) field.select();
      button.textContent = told.textContent = "Press Ctrl+C";
    }
    setTimeout(() => { button.textContent = label; told.textContent = ""; }, 2000);
  });
}
`;
