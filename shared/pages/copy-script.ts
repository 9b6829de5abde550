/**
 * Copies a field to the clipboard and reports the result. The buttons stay hidden until this script runs. Without
 * scripts, the user selects and copies the text manually.
 */
export const COPY_SCRIPT = `
const status = document.getElementById("copy-status");
for (const button of document.querySelectorAll("button[data-copy]")) {
  const label = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(field.value ?? field.textContent);
      button.textContent = status.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(field);
      if (field.select) field.select();
      button.textContent = status.textContent = "Press Ctrl+C";
    }
    setTimeout(() => { button.textContent = label; status.textContent = ""; }, 2000);
  });
}
`;
