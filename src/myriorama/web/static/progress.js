// Live progress of generations: the stream of their events, read with the token (EventSource has none).
import { request } from "./api.js";
import { refresh } from "./fragments.js";
import { toast } from "./toast.js";

const AGAIN_MS = 2000;
const LIVE = new Set(["queued", "dispatched", "running"]);

document.addEventListener("htmx:load", ({ target }) => {
  const items = target.matches?.("[data-events]") ? [target] : target.querySelectorAll?.("[data-events]") ?? [];
  for (const item of items) follow(item);
});

async function follow(item) {
  while (item.isConnected) {
    try {
      const answer = await request(item.dataset.events, { headers: { Accept: "text/event-stream" } });
      for await (const { name, content } of events(answer.body)) {
        if (!item.isConnected) return;
        if (name === "progress") advance(item, content);
        else if (name === "preview") preview(item, content);
        else if (!LIVE.has(content.state)) return end(content);
        else item.querySelector("[data-state]").textContent = words(content);
      }
    } catch (problem) {
      if (problem.status === 404) return refresh("#making");
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const blocks = (text + value.replaceAll("\r", "")).split("\n\n");
      text = blocks.pop();
      for (const block of blocks) {
        const lines = block.split("\n").map((line) => line.split(/: ?(.*)/s));
        const said = (field) => lines.filter(([name]) => name === field).map(([, text]) => text).join("\n");
        if (said("data")) yield { name: said("event"), content: JSON.parse(said("data")) };
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function advance(item, { done, total, stage }) {
  const bar = item.querySelector("progress");
  const state = item.querySelector("[data-state]");
  if (stage === "finishing") {
    bar.removeAttribute("value");
    state.textContent = "Sound, marks and signature";
    return;
  }
  bar.value = done / total;
  const step = Math.floor((done / total) * 10) * 10; // read aloud in tenths, not at every frame
  if (state.textContent !== `Being drawn: ${step} %`) state.textContent = `Being drawn: ${step} %`;
}

function preview(item, { url }) {
  const picture = item.querySelector("[data-preview]");
  picture.src = url;
  picture.hidden = false;
}

// What the API says of a place in the queue, in words.
const REASONS = {
  your_others_first: () => "Waiting for your others",
  in_flight_cap: () => "Waiting: as many of yours as may be are being made",
  gpu_budget: () => "Waiting: today's budget for rendering is spent",
  no_worker: () => "Waiting: no worker is there just now",
  waiting_for_turn: (position) => (position > 1 ? `Waiting: number ${position} in the queue` : "Waiting for its turn"),
};

function words({ state, queue }) {
  if (state === "running") return "Being drawn";
  const reason = REASONS[queue?.reason]?.(queue.position) ?? "Waiting for its turn";
  const start = queue?.estimate?.start_s;
  return start > 5 ? `${reason}, about ${start < 90 ? `${start} s` : `${Math.round(start / 60)} min`}` : reason;
}

function end({ state, detail }) {
  if (state === "completed") toast("Your video is ready: it waits among the drafts.");
  else if (state === "refused") toast(detail || "The video was refused.");
  else if (state !== "cancelled" && state !== "discarded") toast(detail || `The video could not be made (${state}).`);
  refresh("#making");
}
