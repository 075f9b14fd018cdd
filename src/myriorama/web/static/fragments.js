// What htmx fetches: with the token, told when it fails, and marked in the navigation.
import { accessToken, drop, presentToken } from "./session.js";
import { toast } from "./toast.js";

const FEEDS = new Set(["/following", "/latest", "/popular"]);

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
  } else if (status !== 404) {
    toast(detailOf(event.detail.xhr));
  }
});

document.addEventListener("htmx:sendError", () => toast("There is no connection. Try again in a moment."));

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target.id !== "stage") return;
  document.getElementById("sheet").close();
  event.detail.target.focus({ preventScroll: true });
  for (const link of document.querySelectorAll(".side nav a")) {
    const here = link.pathname === location.pathname
      || (link.pathname === "/" && FEEDS.has(location.pathname));
    here ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");
  }
});

function detailOf(answer) {
  const page = new DOMParser().parseFromString(answer.responseText, "text/html");
  return page.querySelector(".empty p")?.textContent ?? "The house does not answer. Try again in a moment.";
}
