// Steering: what was said is shown at once, and the feed is fetched anew when the sheet is closed.
import { refresh, reload } from "./fragments.js";
import { toast } from "./toast.js";

let isSteered = false;

export function steered(_, answer) {
  isSteered = true;
  refresh("#steering");
  const missed = answer?.not_understood ?? [];
  if (missed.length) toast(`Not understood: ${missed.map(({ said }) => said).join("; ")}`);
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
  target.querySelectorAll?.("[data-utc-offset]").forEach((field) => {
    field.value = -new Date().getTimezoneOffset();
  });
  target.querySelectorAll?.("time[data-local]").forEach((time) => {
    time.textContent = new Date(time.dateTime).toLocaleString("en", { dateStyle: "medium", timeStyle: "short" });
  });
});
