// GET and PUT /api/v1/apps/{app}/env: the variables of one app.

import { type Answer, failed, isRecord, type Problem, send } from './client'

export const SCOPES = ['run', 'build', 'both'] as const
export type Scope = (typeof SCOPES)[number]

/** `value` is null for a secret: it never leaves the server, and null in a PUT keeps it. */
export interface EnvVar {
  key: string
  value: string | null
  secret: boolean
  scope: Scope
}

export interface EnvVars {
  version: number
  vars: EnvVar[]
}

export type Saved = { ok: true; env: EnvVars } | { ok: false; problem: Problem }

export function putEnv(app: string, env: EnvVars): Promise<Saved> {
  return ask('PUT', app, env)
}

export function getEnv(app: string): Promise<Saved> {
  return ask('GET', app)
}

async function ask(method: string, app: string, env?: EnvVars): Promise<Saved> {
  const answer: Answer = await send(method, `/api/v1/apps/${encodeURIComponent(app)}/env`, env)
  if (!answer.ok) return answer
  const saved = parseEnvVars(answer.body)
  return saved ? { ok: true, env: saved } : failed(200, 'The answer could not be read', 'Reload the page to see what is stored.')
}

/** Null when `raw` is not what the API promises. */
export function parseEnvVars(raw: unknown): EnvVars | null {
  if (!isRecord(raw) || typeof raw.version !== 'number' || !Array.isArray(raw.vars)) return null
  const vars = raw.vars.map(parseEnvVar)
  return vars.every((v) => v !== null) ? { version: raw.version, vars } : null
}

export function parseEnvVar(raw: unknown): EnvVar | null {
  if (!isRecord(raw) || typeof raw.key !== 'string' || typeof raw.secret !== 'boolean') return null
  if (raw.value !== null && typeof raw.value !== 'string') return null
  const scope = SCOPES.find((s) => s === raw.scope)
  return scope ? { key: raw.key, value: raw.value, secret: raw.secret, scope } : null
}
