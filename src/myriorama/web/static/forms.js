// Forms that command: `data-send="POST /v1/..."`. Files go first, as uploads; problems stand below.
import { send } from "./api.js";
import { join } from "./conflict.js";
import { done } from "./outcomes.js";
import { said } from "./typed.js";
import { clearWrong, showWrong } from "./wrong.js";

const CHANGED_MEANWHILE = 412;

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.dataset.send) return;
  event.preventDefault();
  const [method, path] = form.dataset.send.split(" ");
  const say = form.querySelector("output[role]");
  const button = form.querySelector("button:not([type=button])");
  button.disabled = true;
  form.setAttribute("aria-busy", "true");
  say.textContent = "";
  clearWrong(form);
  try {
    const uploads = await uploaded(form, say);
    say.textContent = "";
    const answer = await sent(form, method, path, uploads);
    if (typeof answer === "string") say.textContent = answer;
    else done(form, answer);
  } catch (problem) {
    say.textContent = showWrong(form, problem).join(" ");
  } finally {
    button.disabled = false;
    form.removeAttribute("aria-busy");
  }
});

document.addEventListener("input", ({ target }) => {
  const shows = target.form?.querySelector(`output[data-shows="${target.name}"]`);
  if (shows) shows.textContent = target.value;
});

document.addEventListener("keydown", (event) => {
  const sends = event.key === "Enter" && (event.ctrlKey || event.metaKey);
  if (sends && event.target.matches("form[data-send] textarea")) event.target.form.requestSubmit();
});

// Whoever follows an invitation's link finds the code filled in.
document.addEventListener("htmx:load", ({ target }) => {
  const field = target.querySelector?.("[data-invitation]");
  const code = new URLSearchParams(location.search).get("invitation");
  if (field && code) field.value = code;
});

// If somebody else saved meanwhile, but none of what the form has, it is sent again; else that is told.
async function sent(form, method, path, uploads) {
  for (;;) {
    const headers = form.dataset.ifMatch ? { "If-Match": form.dataset.ifMatch } : {};
    try {
      return await send(method, path, { ...said(form), ...uploads }, headers);
    } catch (problem) {
      if (problem.status !== CHANGED_MEANWHILE || !form.dataset.ifMatch) throw problem;
      const told = await join(form);
      if (told) return told;
    }
  }
}

async function uploaded(form, say) {
  const ids = {};
  for (const field of form.querySelectorAll("input[data-upload]")) {
    if (!field.files.length) continue;
    say.textContent = `Sending ${field.files[0].name} …`;
    const upload = new FormData();
    upload.append("purpose", field.dataset.upload);
    upload.append("file", field.files[0]);
    ids[field.name] = (await send("POST", "/v1/uploads", upload)).upload_id;
  }
  return ids;
}
