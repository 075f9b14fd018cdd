// What htmx fetches: with the token, told when it fails, and marked in the navigation.
import { accessToken, drop, presentToken } from "./session.js";
import { toast } from "./toast.js";

// Of which page of the navigation a page is a part, by how its address begins.
const PART_OF = {
  following: "/", latest: "/", popular: "/", search: "/explore", hashtags: "/explore", experiments: "/settings",
  advertise: "/settings", "ad-review": "/settings", "ad-preferences": "/settings",
};

let shown = location.pathname;

/** Fill the stage with a fragment. */
export function open(fragment) {
  return window.htmx.ajax("GET", fragment, { target: "#stage" });
}

/** Fetch anew what can be fetched anew. */
export function refresh(selector) {
  document.querySelectorAll(selector).forEach((element) => window.htmx.trigger(element, "refresh"));
}

export function reload() {
  return open(fragmentOf(location));
}

export function fragmentOf({ pathname, search }) {
  return `/web${pathname === "/" ? "/for_you" : pathname}${search}`;
}

// A token may have to be refreshed first, which takes a moment: the request waits for it.
document.addEventListener("htmx:confirm", (event) => {
  event.preventDefault();
  accessToken().then(() => event.detail.issueRequest(true));
});

document.addEventListener("htmx:configRequest", (event) => {
  const token = presentToken();
  if (token) event.detail.headers.Authorization = `Bearer ${token}`;
});

document.addEventListener("htmx:responseError", (event) => {
  const { status } = event.detail.xhr;
  if (status === 401) {
    drop();
    location.assign("/");
  } else if (status !== 403 && status !== 404) {
    failed(detailOf(event.detail.xhr));
  }
});

document.addEventListener("htmx:sendError", () => failed("There is no connection. Try again in a moment."));

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target.id !== "stage") return;
  document.getElementById("sheet").close();
  event.detail.target.focus({ preventScroll: true });
  // Another page begins at its top; the same one, fetched anew, stays where it was.
  if (location.pathname !== shown) event.detail.target.scrollTop = 0;
  shown = location.pathname;
  const page = PART_OF[location.pathname.split("/")[1]] ?? location.pathname;
  for (const link of document.querySelectorAll(".side nav a")) {
    link.pathname === page ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");
  }
});

// A page of which nothing is there yet says so where it waits: it must not seem to load for ever.
function failed(words) {
  const waiting = document.querySelector("#stage > .waiting");
  if (waiting) waiting.textContent = words;
  else toast(words);
}

function detailOf(answer) {
  const page = new DOMParser().parseFromString(answer.responseText, "text/html");
  return page.querySelector(".empty p")?.textContent ?? "The house does not answer. Try again in a moment.";
}
