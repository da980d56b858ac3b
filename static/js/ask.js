// Requests of scripts to the portal. Three ends, never mixed up: an answer, a refusal that says why,
// or no answer, after which nobody here knows what became of the request.

const PATIENCE_MS = 15_000;

/** The server understood and did not do it: `problem` is the API's problem object. */
export class Refusal extends Error {
  constructor(problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/** No answer came, or one that says nothing: whether it was done must be asked for. */
export class Lost extends Error {}

function token() {
  return document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
}

/** GET, or POST where there are `fields`; the answer's JSON. Throws Refusal or Lost. */
export async function ask(path, fields) {
  const options = { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(PATIENCE_MS) };
  if (fields) {
    options.method = "POST";
    options.headers["X-CSRFToken"] = token();
    options.body = new URLSearchParams(fields);
  }
  let answer;
  let told;
  try {
    answer = await fetch(path, options);
    told = await answer.json();
  } catch (error) {
    if (answer && answer.status < 500 && error instanceof SyntaxError) {
      const detail = `The page is too old for this (${answer.status}). Load it again; nothing was done.`;
      throw new Refusal({ status: answer.status, code: "reload", detail, errors: [] });
    }
    throw new Lost(error.message);
  }
  if (answer.ok) return told;
  if (answer.status >= 500) throw new Lost(told.detail ?? String(answer.status));
  throw new Refusal(told);
}

/** An id for one request of this browser: the same request sent again carries the same. */
export function newRequestId() {
  return `p-${crypto.randomUUID().replaceAll("-", "")}`;
}
