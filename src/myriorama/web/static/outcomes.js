// What follows when a command has been done, named by `data-done`.
import { happened, flushAds } from "./ad_beacons.js";
import { open, refresh, reload } from "./fragments.js";
import { filled, payment, visit } from "./going.js";
import { move } from "./playing.js";
import { drop, keep } from "./session.js";
import { changed, steered } from "./steering.js";
import { toast } from "./toast.js";

const OUTCOMES = {
  "ad-hidden": (button) => {
    ofAd(button, "hide");
    changed("You will not see such ads.");
  },
  "ad-reported": (form) => {
    ofAd(form, "report");
    document.getElementById("sheet").close();
    toast("Thank you. Somebody will look at it.");
  },
  "asked": (form) => {
    form.elements.prompt.value = "";
    refresh("#making");
    document.getElementById("making").scrollIntoView({ block: "start" });
  },
  "commented": (form) => {
    form.reset();
    refresh(".comments, .slide.current .rail");
    toast("Your comment is there.");
  },
  "exported": async (_, { number, head }) => {
    if (document.querySelector(`[data-download$="/exports/${head}"]`)) return toast(`Nothing is new since number ${number}.`);
    await reload();
    toast(`Number ${number} is there.`);
  },
  "forgotten": () => changed("What you watched until now says nothing any more."),
  "go": (form, answer) => visit(filled(form.dataset.goto, answer)),
  "hidden": () => changed("You will not see their videos."),
  "less": () => {
    document.getElementById("sheet").close();
    toast("You will see less like this. Steer your feed to take it back.");
    move(1);
  },
  "pay": payment,
  "published": () => {
    history.pushState({}, "", "/following");
    toast("Published.");
    return open("/web/following");
  },
  "refresh": (element) => refresh(element.dataset.refresh),
  "reload": reload,
  "reported": () => {
    document.getElementById("sheet").close();
    toast("Thank you. Somebody will look at it.");
  },
  "said": (form) => {
    form.querySelector("output").textContent = form.dataset.say;
  },
  "secret": (_, { secret }) => showOnce(secret),
  "signed-in": (_, tokens) => {
    keep(tokens);
    location.assign(location.pathname);
  },
  "signed-out": () => {
    drop();
    location.assign("/");
  },
  "steered": steered,
};

export function done(element, answer) {
  OUTCOMES[element.dataset.done]?.(element, answer);
}

// A secret is told by one answer alone: it stands in the sheet until it is closed.
function showOnce(secret) {
  const sheet = document.getElementById("sheet");
  const shown = document.getElementById("secret").content.cloneNode(true);
  shown.querySelector("[data-secret]").textContent = secret;
  document.getElementById("sheet-title").textContent = "The secret";
  document.getElementById("sheet-body").replaceChildren(shown);
  sheet.showModal();
  sheet.addEventListener("close", reload, { once: true });
}

function ofAd(element, event) {
  const slide = document.querySelector(`[data-ad-decision="${element.dataset.ad}"]`);
  if (slide) happened(slide.dataset.adToken, event);
  flushAds();
}
