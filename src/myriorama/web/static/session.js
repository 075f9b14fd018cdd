// Who is here: the tokens of the session, kept for all tabs, and refreshed by one tab at a time.
const KEY = "myriorama.session";
const MARGIN_S = 60;

export function keep(tokens) {
  const until = Date.now() + (tokens.expires_in_s - MARGIN_S) * 1000;
  localStorage.setItem(KEY, JSON.stringify({
    access: tokens.access_token, refresh: tokens.refresh_token, until,
  }));
}

export function drop() {
  localStorage.removeItem(KEY);
}

/** The access token as it is, or null: for the moment when a page goes and nothing can be awaited. */
export function presentToken() {
  const session = kept();
  return session && session.until > Date.now() ? session.access : null;
}

/** An access token with time left, or null for a visitor. */
export async function accessToken() {
  if (!kept()) return null;
  return presentToken() ?? alone(() => refreshed());
}

/** Have a new access token, with the scopes of now. */
export function renew() {
  return alone(() => refreshed(true));
}

// A refresh token is spent by being shown, and shown twice it ends the session: so all tabs queue.
function alone(act) {
  return navigator.locks ? navigator.locks.request(KEY, act) : act();
}

async function refreshed(anyway = false) {
  const session = kept();
  if (!session) return null;
  if (!anyway && session.until > Date.now()) return session.access; // another tab was first
  const answer = await fetch("/v1/sessions/refresh", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ refresh_token: session.refresh }),
  });
  if (answer.ok) {
    keep(await answer.json());
    return presentToken();
  }
  if (answer.status === 401) drop();
  return null;
}

function kept() {
  try {
    return JSON.parse(localStorage.getItem(KEY));
  } catch {
    return null;
  }
}
