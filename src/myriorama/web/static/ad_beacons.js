// Beacons of ads: each thing that happened to an ad is told once, in batches sent until answered.
import { presentToken } from "./session.js";

const HALF = 0.5;
const VIEWABLE_MS = 2000;
const FLUSH_MS = 3000;
const BATCH_MAX = 50;
const QUARTILES = [[0.25, "first_quartile"], [0.5, "midpoint"], [0.75, "third_quartile"]];
const DONE = 0.97;

const told = new Map(); // by token: what was noted, whether it is sent yet or not
const waiting = [];
let pending = null;

/** Note what happened to an ad; the same again is nothing new. */
export function happened(token, event) {
  const events = told.get(token) ?? new Set();
  if (events.has(event)) return;
  told.set(token, events.add(event));
  waiting.push({ token, event });
}

/** Send what waits, now: the page may be gone in a moment. */
export async function flushAds() {
  const access = presentToken();
  if (!access || pending?.underway) return;
  if (!pending) {
    if (!waiting.length) return;
    pending = { body: JSON.stringify({ events: waiting.splice(0, BATCH_MAX) }), underway: false };
  }
  pending.underway = true;
  try {
    const answer = await fetch("/v1/ad-events", {
      method: "POST",
      keepalive: true,
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${access}` },
      body: pending.body,
    });
    if (answer.status !== 401 && answer.status !== 429 && answer.status < 500) pending = null;
  } catch {
    // No connection: the next flush sends it again, and what was stored counts once.
  } finally {
    if (pending) pending.underway = false;
  }
}

setInterval(flushAds, FLUSH_MS);
addEventListener("pagehide", flushAds);

// Viewable is what was half in sight for two seconds in one go, on a page that can be seen.
const clocks = new Map();
const sight = new IntersectionObserver((entries) => {
  for (const { target, intersectionRatio } of entries) {
    intersectionRatio >= HALF ? begin(target) : end(target);
  }
}, { threshold: [0, HALF, 1] });

function begin(screen) {
  if (document.visibilityState === "hidden" || clocks.has(screen)) return;
  const { adToken } = screen.closest(".slide").dataset;
  clocks.set(screen, setTimeout(() => happened(adToken, "viewable"), VIEWABLE_MS));
}

function end(screen) {
  clearTimeout(clocks.get(screen));
  clocks.delete(screen);
}

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") {
    for (const screen of [...clocks.keys()]) end(screen);
    flushAds();
  } else {
    // Observed anew, what is in sight is told at once.
    document.querySelectorAll(".slide[data-ad-token] .screen").forEach((screen) => {
      sight.unobserve(screen);
      sight.observe(screen);
    });
  }
});

document.addEventListener("htmx:load", ({ target }) => {
  const slides = target.matches?.(".slide[data-ad-token]") ? [target] : target.querySelectorAll?.(".slide[data-ad-token]") ?? [];
  for (const slide of slides) attend(slide);
});

document.addEventListener("htmx:beforeCleanupElement", ({ target }) => {
  const screen = target.matches?.(".slide[data-ad-token]") && target.querySelector(".screen");
  if (screen) {
    end(screen);
    sight.unobserve(screen);
  }
});

document.addEventListener("click", ({ target }) => {
  const token = target.closest("[data-ad-click]")?.closest(".slide").dataset.adToken;
  if (!token) return;
  happened(token, "click");
  flushAds();
});

function attend(slide) {
  const token = slide.dataset.adToken;
  const video = slide.querySelector("video");
  let at = 0;
  sight.observe(slide.querySelector(".screen"));
  video.addEventListener("timeupdate", () => {
    const share = video.duration ? video.currentTime / video.duration : 0;
    for (const [from, event] of QUARTILES) if (share >= from) happened(token, event);
    if (share >= DONE || (at >= QUARTILES[2][0] && share < at - HALF)) happened(token, "complete");
    at = share;
  });
  video.addEventListener("volumechange", () => {
    if (video.muted && video.dataset.sounded && slide.matches(".current")) happened(token, "mute");
    video.dataset.sounded = video.muted ? "" : "yes";
  });
  // Whoever goes on before its end has skipped it; whose page is hidden has not.
  video.addEventListener("pause", () => {
    const gone = !slide.matches(".current") && document.visibilityState === "visible";
    if (gone && at > 0 && !told.get(token)?.has("complete")) happened(token, "skip");
  });
}
