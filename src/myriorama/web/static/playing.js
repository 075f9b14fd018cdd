// The feed plays: the video in view runs, muted until somebody taps; the others wait.
import { watched } from "./beacons.js";
import { toggleButton } from "./acts.js";

const IN_VIEW = 0.6;
const DOUBLE_TAP_MS = 280;
const still = matchMedia("(prefers-reduced-motion: reduce)");
let sounding = false;
let tapTimer;

/** The slide in view, or null. */
export function current() {
  return document.querySelector(".slide.current");
}

/** Go to the next slide (1), which may be the end of the feed, or the one before (-1). */
export function move(by) {
  const stops = [...document.querySelectorAll(".slide, .feed > .end")];
  const at = current() ? stops.indexOf(current()) : stops.length - 1;
  stops[at + by]?.scrollIntoView({ behavior: still.matches ? "auto" : "smooth" });
}

export function playOrPause(slide) {
  const video = slide.querySelector("video");
  video.paused ? play(slide) : video.pause();
}

export function setSound(on) {
  sounding = on;
  document.querySelectorAll(".slide video").forEach((video) => { video.muted = !on; });
  document.querySelectorAll("[data-sound]").forEach((button) => button.setAttribute("aria-pressed", String(on)));
}

export function isSounding() {
  return sounding;
}

const views = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) isIntersecting ? enter(target) : leave(target);
}, { threshold: IN_VIEW });

document.addEventListener("htmx:load", ({ target }) => {
  const slides = target.matches?.(".slide") ? [target] : target.querySelectorAll?.(".slide") ?? [];
  for (const slide of slides) prepare(slide);
  if (target.querySelector?.("[data-sound]")) setSound(sounding);
});

document.addEventListener("htmx:beforeCleanupElement", ({ target }) => {
  if (target.matches?.(".slide")) leave(target);
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-sound]")) setSound(!sounding);
  if (event.target.closest("[data-reveal]")) reveal(event.target.closest(".slide"));
  if (event.target.closest("[data-play]")) playOrPause(event.target.closest(".slide"));
});

// Who looks elsewhere hears nothing, and is counted for nothing.
document.addEventListener("visibilitychange", () => {
  const slide = current();
  if (!slide) return;
  if (document.visibilityState === "hidden") slide.querySelector("video").pause();
  else if (!still.matches) play(slide);
});

function prepare(slide) {
  const video = slide.querySelector("video");
  video.muted = !sounding;
  video.addEventListener("click", () => tapped(slide));
  video.addEventListener("play", () => slide.classList.add("playing"));
  video.addEventListener("pause", () => slide.classList.remove("playing"));
  measure(slide, video);
  views.observe(slide);
}

function enter(slide) {
  current()?.classList.remove("current");
  slide.classList.add("current");
  if (!still.matches) play(slide);
  const next = slide.nextElementSibling?.querySelector("video");
  if (next) next.preload = "auto";
}

function leave(slide) {
  slide.classList.remove("current");
  slide.querySelector("video").pause();
}

// What a warning stands before does not play until somebody asks to see it.
function reveal(slide) {
  slide.querySelector(".warning").remove();
  play(slide);
}

async function play(slide) {
  if (slide.querySelector(".warning")) return;
  const video = slide.querySelector("video");
  try {
    await video.play();
  } catch (error) {
    if (error.name !== "NotAllowedError" || video.muted) return; // gone again, or the button is there
    setSound(false);
    await video.play().catch(() => {});
  }
}

// One tap is for the sound, two are a like.
function tapped(slide) {
  if (tapTimer) {
    clearTimeout(tapTimer);
    tapTimer = undefined;
    const like = slide.querySelector('[data-toggle$="/like"]');
    if (like?.getAttribute("aria-pressed") === "false") toggleButton(like);
    return;
  }
  tapTimer = setTimeout(() => {
    tapTimer = undefined;
    slide.querySelector("video").paused ? play(slide) : setSound(!sounding);
  }, DOUBLE_TAP_MS);
}

// How long it ran, and how often it began again, is what the beacons tell.
function measure(slide, video) {
  const bar = slide.querySelector(".played");
  let ranMs = 0, loops = 0, since = null, at = 0;
  const tell = () => {
    const now = performance.now();
    if (since !== null) ranMs += now - since;
    since = video.paused ? null : now;
    if (slide.dataset.viewToken) watched(slide.dataset.viewToken, Math.round(ranMs), loops);
  };
  video.addEventListener("playing", () => { since ??= performance.now(); });
  video.addEventListener("waiting", () => { tell(); since = null; });
  video.addEventListener("pause", tell);
  video.addEventListener("timeupdate", () => {
    if (video.currentTime < at) loops += 1;
    at = video.currentTime;
    bar.value = video.duration ? at / video.duration : 0;
    tell();
  });
}
