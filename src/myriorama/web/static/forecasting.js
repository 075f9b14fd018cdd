// What a line item would bring, asked of the form that opens it. Nothing is stored by asking.
import { request } from "./api.js";
import { said } from "./typed.js";
import { clearWrong, showWrong } from "./wrong.js";

document.addEventListener("click", async ({ target }) => {
  const button = target.closest("button[data-forecast]");
  if (!button || !button.form.reportValidity()) return;
  const { form } = button;
  const here = form.querySelector("[data-forecast-here]");
  const say = form.querySelector("output[role]");
  const also = JSON.parse(button.dataset.also ?? "{}");
  button.disabled = true;
  say.textContent = "";
  clearWrong(form);
  wait(here);
  try {
    const answer = await request(button.dataset.forecast, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ ...also, ...said(form) }),
    });
    here.innerHTML = await answer.text();
    here.classList.remove("stale");
  } catch (problem) {
    here.replaceChildren();
    say.textContent = showWrong(form, problem).join(" ");
  } finally {
    button.disabled = false;
  }
});

// A forecast is of what the form had said.
document.addEventListener("input", ({ target }) => {
  const here = target.form?.querySelector("[data-forecast-here]");
  if (here?.firstElementChild) here.classList.add("stale");
});

function wait(here) {
  const words = document.createElement("p");
  words.className = "small";
  words.textContent = "The auctions of the last day are held once more, with this line item among them …";
  here.classList.remove("stale");
  here.replaceChildren(words, document.createElement("progress"));
}
