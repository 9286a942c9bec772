// /api/v1/apps/{app}/domains: the domains of one app, in its own order.

import { type Answer, failed, isRecord, type Problem, send } from './client'

export const TLS = ['auto', 'off', 'custom'] as const
export type Tls = (typeof TLS)[number]

/** Somebody who may open a domain; a password that is null is the stored one. */
export interface SiteUser {
  user: string
  password: string | null
}

/** A record that has to be made where the DNS of the host is kept. */
export interface DnsRecord {
  type: string
  name: string
  value: string
}

export interface DomainState {
  /** A word of Dhow's for how it is served. */
  https: string
  /** The same in one sentence, with what to do. */
  words: string
  expiresAt: string | null
  /** What to make while the DNS does not lead here. */
  records: DnsRecord[]
}

export interface Domain {
  host: string
  path_prefix: string
  strip_prefix: boolean
  grpc: boolean
  tls: Tls
  force: boolean
  redirect_to: string | null
  hsts: boolean
  plain_health: boolean
  allow_ips: string[]
  basic_auth: SiteUser[]
  certificate: string | null
  state: DomainState
}

export interface Domains {
  version: number
  /** In the app's own order: the first one is its address. */
  items: Domain[]
}

export type Listed = { ok: true; domains: Domains } | { ok: false; problem: Problem }

const UNREADABLE = 'Reload the page to see what is stored.'

export async function listDomains(app: string): Promise<Listed> {
  const answer = await send('GET', pathOf(app))
  if (!answer.ok) return answer
  const domains = parseDomains(answer.body)
  return domains ? { ok: true, domains } : failed(200, 'The answer could not be read', UNREADABLE)
}

export function addDomain(app: string, body: unknown): Promise<Answer> {
  return send('POST', pathOf(app), body)
}

export function changeDomain(app: string, domain: Domain, body: unknown): Promise<Answer> {
  return send('PATCH', pathOf(app, domain), body)
}

export function removeDomain(app: string, domain: Domain, version: number): Promise<Answer> {
  return send('DELETE', `${pathOf(app, domain)}&version=${version}`)
}

function pathOf(app: string, domain?: Domain): string {
  const all = `/api/v1/apps/${encodeURIComponent(app)}/domains`
  if (!domain) return all
  return `${all}/${encodeURIComponent(domain.host)}?path_prefix=${encodeURIComponent(domain.path_prefix)}`
}

/** What tells domains of an app apart. */
export function addressOf({ host, path_prefix }: { host: string; path_prefix: string }): string {
  return path_prefix === '/' ? host : host + path_prefix
}

/** Null when `raw` is not what the API promises. */
export function parseDomains(raw: unknown): Domains | null {
  if (!isRecord(raw) || typeof raw.version !== 'number' || !Array.isArray(raw.items)) return null
  const items = raw.items.map(parseDomain)
  if (!items.every((item) => item !== null)) return null
  const sorted = items.sort((one, other) => one.position - other.position).map(({ domain }) => domain)
  return { version: raw.version, items: sorted }
}

function parseDomain(raw: unknown): { position: number; domain: Domain } | null {
  if (!isRecord(raw)) return null
  const { host, path_prefix, position, state } = raw
  const tls = TLS.find((known) => known === raw.tls)
  if (typeof host !== 'string' || typeof path_prefix !== 'string' || typeof position !== 'number' || !tls) return null
  const domain: Domain = {
    host,
    path_prefix,
    strip_prefix: raw.strip_prefix === true,
    grpc: raw.grpc === true,
    tls,
    force: raw.force === true,
    redirect_to: textOf(raw.redirect_to),
    hsts: raw.hsts === true,
    plain_health: raw.plain_health === true,
    allow_ips: Array.isArray(raw.allow_ips) ? raw.allow_ips.filter((ip) => typeof ip === 'string') : [],
    basic_auth: Array.isArray(raw.basic_auth) ? raw.basic_auth.flatMap(parseUser) : [],
    certificate: textOf(raw.certificate),
    state: parseState(state),
  }
  return { position, domain }
}

function textOf(raw: unknown): string | null {
  return typeof raw === 'string' ? raw : null
}

function parseUser(raw: unknown): SiteUser[] {
  return isRecord(raw) && typeof raw.user === 'string' ? [{ user: raw.user, password: null }] : []
}

function parseState(raw: unknown): DomainState {
  const from = isRecord(raw) ? raw : {}
  const dns = isRecord(from.dns) && from.dns.verdict !== 'right' && Array.isArray(from.dns.records) ? from.dns.records : []
  return { https: textOf(from.https) ?? '', words: textOf(from.words) ?? '', expiresAt: textOf(from.expires_at), records: dns.flatMap(parseRecord) }
}

/** As zone files spell it: `shop.example.org. A 203.0.113.7`. */
function parseRecord(raw: unknown): DnsRecord[] {
  const [name, type, value] = typeof raw === 'string' ? raw.split(' ') : []
  return name && type && value ? [{ name, type, value }] : []
}
