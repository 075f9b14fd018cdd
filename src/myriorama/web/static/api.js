// How the browser commands: requests to the API, with the token, and its problems as errors.
import { accessToken, drop } from "./session.js";

export class Problem extends Error {
  constructor(status, problem) {
    super(problem.detail ?? "The house does not answer. Try again in a moment.");
    this.status = status;
    this.code = problem.code;
    this.errors = problem.errors ?? [];
  }
}

/** Send a command; `body` is an object (as JSON) or a FormData. Returns what was answered, or null. */
export async function send(method, path, body, given = {}) {
  const headers = { ...given };
  if (body && !(body instanceof FormData)) {
    headers["Content-Type"] = "application/json";
    body = JSON.stringify(body);
  }
  const answer = await request(path, { method, headers, body });
  const text = await answer.text();
  return text ? JSON.parse(text) : null;
}

/** Send any request with the token. Throws a `Problem` unless it was answered well. */
export async function request(path, options = {}) {
  const token = await accessToken();
  const headers = { ...options.headers, ...(token ? { Authorization: `Bearer ${token}` } : {}) };
  let answer;
  try {
    answer = await fetch(path, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { detail: "There is no connection. Try again in a moment." });
  }
  if (answer.ok) return answer;
  if (answer.status === 401 && token) drop();
  throw new Problem(answer.status, await answer.json().catch(() => ({})));
}
