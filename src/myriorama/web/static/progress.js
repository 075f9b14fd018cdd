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

function advance(item, { done, total }) {
  const bar = item.querySelector("progress");
  bar.value = done / total;
  const step = Math.floor((done / total) * 10) * 10; // read aloud in tenths, not at every frame
  const state = item.querySelector("[data-state]");
  if (state.textContent !== `Being drawn: ${step} %`) state.textContent = `Being drawn: ${step} %`;
}

function words({ state, place }) {
  if (state === "running") return "Being drawn";
  return place > 1 ? `Waiting: number ${place} in the queue` : "Waiting for its turn";
}

function end({ state, detail }) {
  if (state === "completed") toast("Your video is ready: it waits among the drafts.");
  else if (state !== "cancelled" && state !== "discarded") toast(detail || `The video could not be made (${state}).`);
  refresh("#making");
}
