// What a form says, typed as the API wants it. `data-as` names the type, dots in a name nest.

const TYPES = {
  codes: (field) => listed(field.value.toUpperCase()),
  list: (field) => listed(field.value),
  one: (field) => (field.value ? [field.value] : undefined),
  json: (field) => JSON.parse(field.value),
  micros: (field) => (field.value ? Math.round(Number(field.value) * 1e6) : undefined),
  instant: (field) => (field.value ? instant(field.value, field.dataset.zone) : undefined),
  caps: capped,
  hours: ofWeek,
};

/** What a form says. What was left empty is left out, or null where `data-clears` says so. */
export function said(form) {
  const all = {};
  for (const field of form.elements) {
    if (!field.name || field.disabled || field.type === "file") continue;
    const value = valueOf(field);
    if (value !== undefined) put(all, field, value);
    else if ("clears" in field.dataset && form.dataset.send.startsWith("PATCH")) put(all, field, null);
    else if (field.name.endsWith("[]")) listOf(all, field);
  }
  return all;
}

function valueOf(field) {
  if (field.type === "radio" && !field.checked) return undefined;
  if (field.dataset.as) return TYPES[field.dataset.as](field);
  if (field.type === "checkbox") return field.name.endsWith("[]") ? checked(field) : field.checked;
  if (field.type === "range" || field.type === "number") return field.value ? Number(field.value) : undefined;
  return field.value || "keepEmpty" in field.dataset ? field.value : undefined;
}

function checked(field) {
  return field.checked ? field.value : undefined;
}

function put(all, field, value) {
  if (field.name.endsWith("[]")) {
    listOf(all, field).push(value);
    return;
  }
  const path = field.name.split(".");
  const last = path.pop();
  path.reduce((at, name) => (at[name] ??= {}), all)[last] = value;
}

// A list that a form offers is said even if nothing of it is chosen: so it can be emptied.
function listOf(all, field) {
  const path = field.name.slice(0, -2).split(".");
  const last = path.pop();
  return (path.reduce((at, name) => (at[name] ??= {}), all)[last] ??= []);
}

function listed(text) {
  return text.split(",").map((word) => word.trim()).filter(Boolean);
}

function capped(field) {
  const [count, window] = ["[data-count]", "[data-window]"].map((part) => field.parentElement.querySelector(part).value);
  return count ? [{ count: Number(count), window_s: Number(window) }] : [];
}

// 168 hours, from Monday at midnight; no day chosen changes nothing.
function ofWeek(field) {
  const week = field.closest("[data-week]");
  const days = new Set([...week.querySelectorAll("[data-day]:checked")].map((day) => Number(day.dataset.day)));
  if (!days.size) return undefined;
  const [from, to] = ["[data-from]", "[data-to]"].map((part) => Number(week.querySelector(part).value));
  const shown = (hour) => (from < to ? hour >= from && hour < to : hour >= from || hour < to);
  return Array.from({ length: 168 }, (_, at) => (days.has(Math.floor(at / 24)) && shown(at % 24) ? "1" : "0")).join("");
}

/** The instant at which the clocks of a zone show a time of day ("2026-11-23T18:50"). */
export function instant(wall, zone) {
  const wanted = Date.parse(`${wall}Z`);
  let moment = wanted;
  // The offset at the first guess may be that of the other side of a change of clocks.
  for (let again = 0; again < 2; again += 1) moment += wanted - shownAt(moment, zone);
  return new Date(moment).toISOString();
}

function shownAt(moment, zone) {
  const clock = new Intl.DateTimeFormat("en-CA", {
    timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit",
  });
  const part = Object.fromEntries(clock.formatToParts(moment).map(({ type, value }) => [type, value]));
  return Date.parse(`${part.year}-${part.month}-${part.day}T${part.hour}:${part.minute}Z`);
}
