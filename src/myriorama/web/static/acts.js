// What buttons do: toggles, single commands, sharing, the sheet. Told by their data attributes.
import { request, send } from "./api.js";
import { done } from "./outcomes.js";
import { toast } from "./toast.js";

const ACTS = {
  toggle: toggleButton,
  do: command,
  download,
  share,
  sheet: openSheet,
  close: () => document.getElementById("sheet").close(),
  copyText,
  copy: (button) => copy(button.dataset.copy),
  idea: (button) => {
    const prompt = document.getElementById("prompt");
    prompt.value = button.dataset.idea;
    prompt.focus();
  },
  reply: (button) => replyTo(button.dataset.reply, button.dataset.replyTo),
  replyStop: () => replyTo("", ""),
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  const name = button && Object.keys(ACTS).find((act) => act in button.dataset);
  if (name) ACTS[name](button);
});

document.getElementById("sheet").addEventListener("click", (event) => {
  if (event.target.id === "sheet") event.target.close(); // a click beside it
});

/** Press or release a button; what it says is taken back if the API refuses. */
export async function toggleButton(button) {
  const pressed = button.getAttribute("aria-pressed") !== "true";
  show(button, pressed);
  try {
    await send(pressed ? "PUT" : "DELETE", button.dataset.toggle);
  } catch (problem) {
    show(button, !pressed);
    refused(problem);
  }
}

function show(button, pressed) {
  button.setAttribute("aria-pressed", String(pressed));
  add(button, pressed ? 1 : -1);
}

function add(button, number) {
  const count = button.querySelector("[data-count]");
  if (!count) return;
  count.dataset.count = Number(count.dataset.count) + number;
  count.textContent = new Intl.NumberFormat("en", { notation: "compact" }).format(count.dataset.count);
}

async function command(button) {
  if (button.dataset.ask && !confirm(button.dataset.ask)) return;
  const [method, path] = button.dataset.do.split(" ");
  const body = button.dataset.body ? JSON.parse(button.dataset.body) : undefined;
  const busy = button.dataset.busy && showBusy(button);
  button.disabled = true;
  try {
    done(button, await send(method, path, body));
  } catch (problem) {
    refused(problem);
  } finally {
    button.disabled = false;
    if (busy) busy.remove();
  }
}

// What takes a while says so below its button.
function showBusy(button) {
  const busy = document.createElement("p");
  busy.className = "small busy";
  busy.setAttribute("role", "status");
  busy.append(button.dataset.busy, document.createElement("progress"));
  button.parentElement.after(busy);
  return busy;
}

// A file that is for members alone is fetched with the token, and then kept under a name.
async function download(button) {
  button.disabled = true;
  try {
    const answer = await request(button.dataset.download);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await answer.blob());
    link.download = button.dataset.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  } catch (problem) {
    refused(problem);
  } finally {
    button.disabled = false;
  }
}

async function share(button) {
  const url = new URL(button.dataset.link, location.origin).href;
  try {
    if (navigator.share) await navigator.share({ url });
    else await copy(url);
    await send("POST", button.dataset.share);
    add(button, 1);
  } catch (problem) {
    if (problem.name !== "AbortError") refused(problem);
  }
}

// Where the clipboard is out of reach (on an origin that is not secure), the link is at least told.
async function copy(path) {
  const { href } = new URL(path, location.origin);
  try {
    await navigator.clipboard.writeText(href);
    toast("The link is copied.");
  } catch {
    toast(href);
  }
}

async function copyText(button) {
  const text = button.closest("#sheet-body").querySelector(".code");
  try {
    await navigator.clipboard.writeText(text.textContent);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(text);
    button.textContent = "It is marked: copy it";
  }
}

function openSheet(button) {
  document.getElementById("sheet-title").textContent = button.dataset.sheet;
  document.getElementById("sheet-body").replaceChildren();
  document.getElementById("sheet").showModal();
}

function replyTo(commentId, name) {
  const form = document.querySelector("#sheet form.write");
  form.elements.parent_id.value = commentId;
  form.querySelector(".replying").hidden = !commentId;
  form.querySelector("[data-replying]").textContent = name;
  form.elements.text.focus();
}

function refused(problem) {
  toast(problem.status === 401 ? "Sign in to do that." : problem.message);
}
