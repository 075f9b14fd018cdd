// Steering: what was said is shown at once, and the feed is fetched anew when the sheet is closed.
import { refresh, reload } from "./fragments.js";
import { toast } from "./toast.js";

// Why a part of what was said became no rule, in words.
const REASONS = {
  nothing_asked: "say more, less or no",
  no_subject: "say of what",
  not_a_wish: "this is no wish",
  time: "the time is not clear",
  unreadable: "it has signs that are no words",
  too_many: "there are too many rules already",
  unknown_account: "nobody is called that",
};

const SOON_MS = 8 * 86_400_000; // what ends sooner is said to the minute

let isSteered = false;
let missed = [];

export function steered(_, answer) {
  isSteered = true;
  missed = answer?.not_understood ?? [];
  refresh("#steering");
}

/** Close the sheet, say what was done, and fetch the feed anew. */
export function changed(words) {
  isSteered = true;
  document.getElementById("sheet").close();
  toast(words);
}

document.getElementById("sheet").addEventListener("close", () => {
  if (!isSteered) return;
  isSteered = false;
  reload();
});

document.addEventListener("htmx:load", ({ target }) => {
  if (target.id === "steering") resume(target);
  target.querySelectorAll?.("[data-utc-offset]").forEach((field) => {
    field.value = -new Date().getTimezoneOffset();
  });
  target.querySelectorAll?.("time[data-local]").forEach((time) => {
    const moment = new Date(time.dateTime);
    const isSoon = moment - Date.now() < SOON_MS;
    time.textContent = moment.toLocaleString("en", { dateStyle: "medium", ...(isSoon ? { timeStyle: "short" } : {}) });
  });
});

// What was not understood stands there again, to be said otherwise; and the keyboard where it was.
function resume(section) {
  if (document.activeElement === document.body) section.focus({ preventScroll: true });
  if (!missed.length) return;
  section.querySelector("textarea").value = missed.map(({ said }) => said).join("; ");
  const why = [...new Set(missed.map(({ reason }) => REASONS[reason] ?? reason))].join("; ");
  section.querySelector("output").textContent = `Not understood: ${why}.`;
  missed = [];
}
