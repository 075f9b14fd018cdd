// Beacons: what was watched, told to the API in numbered batches that are sent until answered.
import { presentToken } from "./session.js";

const FLUSH_MS = 5000;
const BATCH_MAX = 50;
const WATCHED_MS_MIN = 1000;
const session = uuid();
const fresh = new Map();
let sequence = 0;
let pending = null;

/** Note how long one showing has been watched until now. A glance is no view. */
export function watched(viewToken, watchedMs, loops) {
  if (watchedMs < WATCHED_MS_MIN) return;
  fresh.set(viewToken, {
    view_token: viewToken,
    watched_ms: Math.min(watchedMs, 3_600_000),
    loops: Math.min(loops, 1000),
  });
}

setInterval(flush, FLUSH_MS);
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") flush();
});
addEventListener("pagehide", flush);

// A batch keeps its number until it is answered, so that it is stored once however often it is sent.
async function flush() {
  const token = presentToken();
  if (!token || pending?.underway) return;
  if (!pending) {
    const views = [...fresh.values()].slice(0, BATCH_MAX);
    if (!views.length) return;
    views.forEach((view) => fresh.delete(view.view_token));
    pending = { body: JSON.stringify({ session, sequence: sequence++, views }), underway: false };
  }
  pending.underway = true;
  try {
    const answer = await fetch("/v1/views", {
      method: "POST",
      keepalive: true,
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
      body: pending.body,
    });
    const again = answer.status === 401 || answer.status === 429 || answer.status >= 500;
    if (!again) pending = null;
  } catch {
    // No connection: the next flush sends it again.
  } finally {
    if (pending) pending.underway = false;
  }
}

// crypto.randomUUID is there on secure origins alone; a house in the local network is none.
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
