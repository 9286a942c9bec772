// A domain while it is edited, and what of it is sent: only what one changed oneself, so that nobody else's change of
// another field is overwritten.

import type { Domain, SiteUser, Tls } from '../api/domains'

export interface Draft {
  host: string
  path_prefix: string
  strip_prefix: boolean
  grpc: boolean
  tls: Tls
  force: boolean
  /** Empty: it is served, not sent on. */
  redirect_to: string
  hsts: boolean
  plain_health: boolean
  /** One a line, or with commas between them. */
  allow_ips: string
  basic_auth: SiteUser[]
  certificate: string
  /** Empty: the stored one is kept. */
  private_key: string
}

export const FIELDS = [
  'host',
  'path_prefix',
  'strip_prefix',
  'grpc',
  'tls',
  'force',
  'redirect_to',
  'hsts',
  'plain_health',
  'allow_ips',
  'basic_auth',
  'certificate',
  'private_key',
] as const
export type FieldName = (typeof FIELDS)[number]

export function draftOf(domain: Domain | null): Draft {
  return {
    host: domain?.host ?? '',
    path_prefix: domain?.path_prefix ?? '/',
    strip_prefix: domain?.strip_prefix ?? false,
    grpc: domain?.grpc ?? false,
    tls: domain?.tls ?? 'auto',
    force: domain?.force ?? false,
    redirect_to: domain?.redirect_to ?? '',
    hsts: domain?.hsts ?? false,
    plain_health: domain?.plain_health ?? false,
    allow_ips: domain?.allow_ips.join('\n') ?? '',
    basic_auth: domain?.basic_auth ?? [],
    certificate: domain?.certificate ?? '',
    private_key: '',
  }
}

/** The fields that differ, as the API takes them. */
export function bodyOf(before: Draft, now: Draft): Record<string, unknown> {
  return Object.fromEntries(changedFields(before, now).map((field) => [field, sent(now, field)]))
}

export function changedFields(before: Draft, now: Draft): FieldName[] {
  return FIELDS.filter((field) => JSON.stringify(sent(before, field)) !== JSON.stringify(sent(now, field)))
}

function sent(draft: Draft, field: FieldName): unknown {
  switch (field) {
    case 'allow_ips':
      return draft.allow_ips.split(/[\s,]+/).filter((ip) => ip !== '')
    case 'basic_auth':
      return draft.basic_auth.filter(({ user }) => user.trim() !== '')
    case 'redirect_to':
    case 'certificate':
    case 'private_key':
      return draft[field].trim() === '' ? null : draft[field]
    default:
      return draft[field]
  }
}

/** A field's value in words, for the one who did not write it. */
export function inWords(draft: Draft, field: FieldName): string {
  const value = draft[field]
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (field === 'certificate' || field === 'private_key') return value === '' ? 'none' : 'another one'
  if (Array.isArray(value)) return value.map(({ user }) => user).join(', ') || 'nobody'
  return value === '' ? 'none' : value
}

/** Brings a draft of `base` onto what is stored now: fields left alone follow; `clashes` were changed by both. */
export function rebase(base: Draft, draft: Draft, stored: Draft): { draft: Draft; clashes: FieldName[] } {
  const mine = changedFields(base, draft)
  const kept = Object.fromEntries(mine.map((field) => [field, draft[field]]))
  const theirs = new Set(changedFields(base, stored))
  const differs = new Set(changedFields(draft, stored))
  return { draft: { ...stored, ...kept }, clashes: mine.filter((field) => theirs.has(field) && differs.has(field)) }
}
