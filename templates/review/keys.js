// Keys for the reviewers' page, and forms that show only what fits the decision picked.
"use strict";
document.documentElement.classList.add("js");

const rows = () => [...document.querySelectorAll(".inbox tbody tr")];
let at = -1;

function go(to) {
  const all = rows();
  if (!all.length) return;
  all[at]?.classList.remove("at");
  at = Math.max(0, Math.min(all.length - 1, to));
  all[at].classList.add("at");
  all[at].querySelector("a.open").focus();
}

// The finding whose form keys act on: the one that has the focus, else the one that the address
// names, else the first that waits.
function form() {
  const own = document.activeElement?.closest(".ruling")?.querySelector("form.decide");
  const asked = document.getElementById(location.hash.slice(1))?.querySelector("form.decide");
  return own ?? asked ?? document.querySelector(".ruling[data-waiting] form.decide");
}

function pick(verdict) {
  const radio = form()?.querySelector(`input[name=verdict][value=${verdict}]`);
  if (!radio) return false;
  radio.checked = true;
  radio.dispatchEvent(new Event("change", { bubbles: true }));
  radio.form.scrollIntoView({ block: "center" });
  radio.form.querySelector("select[name=reason]").focus();
  return true;
}

const keys = {
  j: () => go(at + 1),
  k: () => go(at - 1),
  x: () => { const box = rows()[at]?.querySelector("input[name=app]"); if (box) box.checked = !box.checked; },
  n: () => document.querySelector("#next")?.click(),
  c: () => pick("confirmed"),
  d: () => pick("dismissed"),
  a: () => pick("again"),
  "/": () => document.querySelector("#search")?.focus(),
  "?": () => { const help = document.querySelector(".keys"); if (help) help.hidden = !help.hidden; },
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.matches("input:not([type=checkbox]):not([type=radio]), textarea, select")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const act = keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

// Reasons of another decision, and the day to mend by, stay away until they fit.
function fit(root) {
  const picked = root.querySelector("input[name=verdict]:checked, select[name=verdict]")?.value ?? "";
  for (const part of root.querySelectorAll("[data-only]")) part.toggleAttribute("data-hidden", part.dataset.only !== picked);
  for (const part of root.querySelectorAll("[data-unless]")) part.toggleAttribute("data-hidden", part.dataset.unless === picked);
  const reason = root.querySelector("select[name=reason]");
  if (!reason) return;
  reason.required = picked !== "remark";
  for (const group of reason.querySelectorAll("optgroup")) {
    group.hidden = group.disabled = picked !== "" && group.dataset.of !== picked;
  }
  if (reason.selectedOptions[0]?.closest("optgroup")?.disabled) reason.value = "";
}

for (const root of document.querySelectorAll("form")) {
  if (!root.querySelector("[data-verdict]")) continue;
  fit(root);
  root.addEventListener("change", () => fit(root));
}
