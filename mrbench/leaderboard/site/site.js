"use strict";

// Buttons that copy the command beside them.
{
  const copied = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return false;
    }
  };
  const select = (code) => {
    getSelection().selectAllChildren(code);
    return document.execCommand("copy");
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const code = button.parentElement.querySelector("code");
    button.textContent = (await copied(code.textContent)) || select(code) ? "Copied" : "Select and copy";
    setTimeout(() => { button.textContent = "Copy"; }, 1600);
  });
  for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;
}
