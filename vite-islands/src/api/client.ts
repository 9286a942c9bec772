// Talks to Dhow's own REST API with the session cookie of the page.
// Every outcome is a value: a caller that keeps what was typed must not be surprised by a throw.

export interface FieldError {
  field: string
  message: string
}

/** RFC 9457 problem details. `status` is 0 when no answer came at all. */
export interface Problem {
  status: number
  title: string
  detail: string | null
  errors: FieldError[]
}

export type Answer = { ok: true; body: unknown } | { ok: false; problem: Problem }

export async function send(method: string, path: string, body?: unknown): Promise<Answer> {
  let response: Response
  try {
    response = await fetch(path, {
      method,
      credentials: 'same-origin',
      headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  } catch {
    return failed(0, 'Dhow did not answer', 'Check the connection, then try again.')
  }
  let answer: unknown
  try {
    answer = await response.json()
  } catch {
    answer = undefined
  }
  if (!response.ok) return { ok: false, problem: parseProblem(response.status, answer) }
  if (answer === undefined && response.status !== 204) return failed(response.status, 'The answer could not be read', 'Reload the page to see what is stored.')
  return { ok: true, body: answer }
}

export function failed(status: number, title: string, detail: string | null): { ok: false; problem: Problem } {
  return { ok: false, problem: { status, title, detail, errors: [] } }
}

function parseProblem(status: number, raw: unknown): Problem {
  const from = isRecord(raw) ? raw : {}
  return {
    status,
    title: typeof from.title === 'string' ? from.title : `Dhow answered with status ${status}`,
    detail: typeof from.detail === 'string' ? from.detail : null,
    errors: Array.isArray(from.errors) ? from.errors.filter(isFieldError) : [],
  }
}

export function isRecord(raw: unknown): raw is Record<string, unknown> {
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw)
}

function isFieldError(raw: unknown): raw is FieldError {
  return isRecord(raw) && typeof raw.field === 'string' && typeof raw.message === 'string'
}
