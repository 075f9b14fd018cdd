// When somebody else has saved meanwhile: what they changed is joined to what was typed here.
import { request } from "./api.js";
import { fragmentOf } from "./fragments.js";
import { mark } from "./wrong.js";

const GONE = "It has ended, or is gone, meanwhile: nothing can be changed any more. What you typed is still here.";
const JOINED = "Somebody else has saved meanwhile. Nothing that you typed is lost: look at what is marked above, then save again.";

/** Take in what is saved now. Returns what is to be said, or "" if the same can be sent again. */
export async function join(form) {
  const answer = await request(fragmentOf(location));
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const theirs = page.querySelector(`form[data-send="${CSS.escape(form.dataset.send)}"]`);
  if (!theirs) return GONE;
  form.dataset.ifMatch = theirs.dataset.ifMatch;
  const ours = entries(form);
  const saved = entries(theirs);
  const met = [...saved].filter(([name, { before }]) => ours.has(name) && ours.get(name).before !== before);
  for (const [name, { before: now, words }] of met) meet(ours.get(name), now, words);
  keepOthers(form, ours, saved);
  form.querySelector(".theirs")?.scrollIntoView({ block: "center" });
  return met.length ? JOINED : "";
}

// What only they changed becomes theirs. What both changed stays as typed, and theirs stands beside.
function meet(entry, now, words) {
  const { field, before, typed } = entry;
  if (typed === before) {
    entry.set(now);
    mark(field, "Somebody else changed it: this is theirs.").classList.add("theirs");
  } else if (typed !== now) {
    const said = mark(field, `Somebody else made it: ${words}. `);
    said.classList.add("theirs");
    const take = document.createElement("button");
    Object.assign(take, { type: "button", className: "plain link", textContent: "Take theirs" });
    take.addEventListener("click", () => {
      entry.set(now);
      said.remove();
    });
    said.append(take);
  }
  entry.rebase(now);
}

// What they chose and this form does not offer stays chosen; what they took away is not put back.
function keepOthers(form, ours, saved) {
  for (const [name, { field, before }] of saved) {
    if (ours.has(name) || field.type !== "checkbox" || !before) continue;
    const kept = field.cloneNode();
    kept.hidden = true;
    form.append(kept);
  }
  for (const [name, { field, before, typed }] of ours) {
    if (saved.has(name)) continue;
    if (field.type === "checkbox" && before && typed) field.checked = false;
    if ("count" in field.dataset) field.closest("fieldset").remove();
  }
}

/** What can be typed or chosen in a form, by name: as it was (`before`), and as it is (`typed`). */
function entries(form) {
  const all = new Map();
  for (const field of form.elements) {
    const name = field.name || ["count", "window"].find((part) => part in field.dataset);
    if (!name || field.type === "hidden" || field.type === "file") continue;
    if (field.type === "radio") radio(all, form, name, field);
    else if (field.type === "checkbox") all.set(`${name} ${field.value}`, checkbox(field));
    else all.set(name, field.tagName === "SELECT" ? select(field) : text(field));
  }
  return all;
}

function radio(all, form, name, field) {
  if (all.has(name)) return;
  const group = [...form.elements].filter((each) => each.name === name);
  const before = group.find((each) => each.defaultChecked)?.value;
  all.set(name, {
    field, before, typed: group.find((each) => each.checked)?.value,
    words: group.find((each) => each.defaultChecked)?.closest("label").innerText.trim().replace(/\s+/g, " "),
    set: (value) => group.forEach((each) => { each.checked = each.value === value; }),
    rebase: (value) => group.forEach((each) => {
      const { checked } = each;
      each.defaultChecked = each.value === value;
      each.checked = checked;
    }),
  });
}

function checkbox(field) {
  return {
    field, before: field.defaultChecked, typed: field.checked, words: field.defaultChecked ? "chosen" : "not chosen",
    set: (value) => { field.checked = value; },
    rebase: (value) => {
      const { checked } = field;
      field.defaultChecked = value;
      field.checked = checked;
    },
  };
}

function select(field) {
  const chosen = [...field.options].find((option) => option.defaultSelected) ?? field.options[0];
  return {
    field, before: chosen?.value, typed: field.value, words: chosen?.text,
    set: (value) => { field.value = value; },
    rebase: (value) => {
      const typed = field.value;
      for (const option of field.options) option.defaultSelected = option.value === value;
      field.value = typed;
    },
  };
}

function text(field) {
  return {
    field, before: field.defaultValue, typed: field.value, words: said(field) || "empty",
    set: (value) => { field.value = value; },
    rebase: (value) => {
      const typed = field.value;
      field.defaultValue = value;
      field.value = typed;
    },
  };
}

function said(field) {
  return field.type === "datetime-local" ? field.defaultValue.replace("T", " ") : field.defaultValue;
}
