// The feed by keyboard: arrows (or J and K) move, space plays, L likes, C comments, M sounds.
import { current, isSounding, move, playOrPause, setSound } from "./playing.js";

const KEYS = {
  "ArrowDown": () => move(1),
  "ArrowUp": () => move(-1),
  "j": () => move(1),
  "k": () => move(-1),
  " ": playOrPause,
  "l": (slide) => slide.querySelector('[data-toggle$="/like"]')?.click(),
  "c": (slide) => slide.querySelector('[data-sheet="Comments"]')?.click(),
  "m": () => setSound(!isSounding()),
};

document.addEventListener("keydown", (event) => {
  const slide = current(); // none where a feed has ended, from where one may still move
  const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  const elsewhere = event.target.closest?.("input, textarea, select, dialog")
    || (event.key === " " && event.target.closest?.("button, a, summary"));
  if (!act || (!slide && act.length) || !document.querySelector(".feed") || elsewhere || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  act(slide);
});
