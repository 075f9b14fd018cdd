// What the API refuses stands at the field that it is about; what is about none, below the form.

/** Put a problem where it belongs; return what is to be said below the form. */
export function showWrong(form, problem) {
  const below = [];
  for (const { where, detail } of problem.errors ?? []) {
    const field = named(form, where);
    field ? mark(field, field.dataset.wrong ?? detail) : below.push(`${where}: ${detail}`);
  }
  const field = problem.code && form.querySelector(`[data-refused~="${CSS.escape(problem.code)}"]`);
  if (field) mark(field, problem.message);
  else if (!problem.errors?.length || below.length) below.unshift(problem.message);
  else below.push("Look at what is marked above.");
  form.querySelector("[aria-invalid]:not([type=hidden])")?.focus();
  return below;
}

export function clearWrong(form) {
  form.querySelectorAll(".wrong").forEach((words) => words.remove());
  form.querySelectorAll("[aria-invalid]").forEach((field) => {
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
  });
}

// The API points at "/targeting/countries/0"; a part of it is the field's name.
function named(form, where) {
  const path = where.split("/").filter((part) => part && !/^\d+$/.test(part)).join(".");
  return [...form.elements].find(({ name }) => name && (name === path || name === `${path}[]` || path.startsWith(`${name}.`)));
}

/** Put words at a field; return them. */
export function mark(field, words) {
  const said = document.createElement("small");
  said.className = "wrong";
  said.id = `wrong-${Math.random().toString(36).slice(2)}`;
  said.textContent = words;
  const place = field.type === "radio" || field.type === "checkbox" || field.type === "hidden" ? field.closest("fieldset") : field;
  (place ?? field).tagName === "FIELDSET" ? place.append(said) : field.after(said);
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", said.id);
  for (let at = field.closest("details"); at; at = at.parentElement.closest("details")) at.open = true;
  return said;
}
