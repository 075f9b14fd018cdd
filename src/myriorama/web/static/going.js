// Where one goes when something was opened, or is to be paid; and what a page fills in by itself.
import { fragmentOf, open, reload } from "./fragments.js";
import { renew } from "./session.js";
import { toast } from "./toast.js";

/** Fill an answer's values into a path: "/advertise/{advertiser_id}". */
export function filled(path, answer) {
  return path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(answer[name]));
}

export function visit(path) {
  history.pushState({}, "", path);
  return open(fragmentOf(location));
}

/** Go to the page to pay on; without one (a card on file, or not yet), to where it is told. */
export function payment(form, topUp) {
  const back = filled(form.dataset.goto, topUp);
  if (!topUp.checkout_url) return visit(back);
  history.replaceState({}, "", back);
  location.assign(topUp.checkout_url);
}

document.addEventListener("htmx:load", ({ target }) => {
  const zones = target.querySelector?.("[data-own-zone]");
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zones && [...zones.options].some(({ value }) => value === own)) zones.value = own;
});

// Scopes that somebody was given are in their next token.
document.addEventListener("click", async ({ target }) => {
  if (!target.closest("[data-renew]")) return;
  await renew();
  await reload();
  if (document.querySelector("[data-renew]")) toast("Not yet.");
});
