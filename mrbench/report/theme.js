"use strict";

// Light or dark: as the system says, until the button is pressed; then as chosen, on every page where that can be kept.
{
  const system = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  const kept = (change) => { try { return change(localStorage); } catch { return null; } };
  const chosen = kept((store) => store.getItem("mrbench-theme"));
  if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;
  const isDark = () => (root.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";
  const wire = () => {
    const button = document.querySelector(".theme");
    const label = () => { button.textContent = isDark() ? "Light" : "Dark"; };
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      kept((store) => store.setItem("mrbench-theme", root.dataset.theme));
      label();
    });
    system.addEventListener("change", label);
    label();
    button.hidden = false;
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", wire);
  else wire();
}
