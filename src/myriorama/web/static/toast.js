// A line at the bottom that tells what happened, and goes by itself.
const STAYS_MS = 5000;
let timer;

export function toast(text) {
  const place = document.getElementById("toast");
  // Shown anew, it stands above a sheet that was opened after it.
  if (place.matches(":popover-open")) place.hidePopover();
  place.showPopover();
  place.textContent = text;
  place.classList.add("shown");
  clearTimeout(timer);
  timer = setTimeout(() => place.classList.remove("shown"), STAYS_MS);
}
