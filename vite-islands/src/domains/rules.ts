// What a domain may be, told while it is typed. Dhow has the last word: these rules say what people get wrong most
// (src/model/host.rs, typed_address.rs, path_prefix.rs).

import { addressOf, type Domain } from '../api/domains'
import type { Draft } from './draft'

export type DraftErrors = Partial<Record<string, string>>

const ALLOWED = 'Write only the host, such as app.example.com.'

/** What is meant by a host or a pasted address; `path` is its path where there is more than `/`. */
export type Read = { ok: true; host: string; path: string | null } | { ok: false; fault: string }

export function readHost(text: string): Read {
  const rest = text.trim().replace(/^https?:\/\//i, '')
  const [, authority = '', tail = ''] = /^([^/?#]*)(.*)$/s.exec(rest) ?? []
  const isWild = authority.startsWith('*.')
  const name = (isWild ? authority.slice(2) : authority).replace(/\.$/, '')
  const fault = hostFault(name, rest)
  if (fault) return { ok: false, fault: `${fault} ${ALLOWED}` }
  if (/[?#]/.test(tail)) return { ok: false, fault: 'A domain has no query: leave it out.' }
  const host = inAscii(name)
  if (host === null) return { ok: false, fault: `This is not a host name. ${ALLOWED}` }
  const path = tail.replace(/\/$/, '')
  return { ok: true, host: isWild ? `*.${host}` : host, path: path === '' ? null : path }
}

function hostFault(name: string, all: string): string | null {
  if (all === '') return 'The host is empty.'
  if (/[\s,;]/.test(all)) return 'Several hosts are several domains: add them one by one.'
  if (name === '') return 'The host is empty.'
  if (name.includes('@')) return 'A user name or password is not part of the host.'
  if (/[[\]]|:.*:/.test(name)) return 'IPv6 addresses cannot be domains here; IPv4 addresses can.'
  if (name.includes(':')) return 'The port is not part of the host: domains are served on the ports of the proxy.'
  return null
}

/** The host in its one spelling: lower case, punycode; null when it is none. */
function inAscii(name: string): string | null {
  if (/[^\p{L}\p{M}\p{N}.-]/u.test(name)) return null
  let host: string
  try {
    host = new URL(`http://${name}`).hostname
  } catch {
    return null
  }
  const isNumber = /(^|\.)(\d+|0x[\da-f]*)$/.test(name.toLowerCase())
  if (isNumber) return host === name ? host : null
  return host.length <= 253 && host.split('.').every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label)) ? host : null
}

function pathFault(path: string): string | null {
  if (path === '' || path === '/') return null
  if (!path.startsWith('/')) return 'The path must start with /.'
  if (/\/\/|\/\.{1,2}(\/|$)|[?#\s"<>\\^`{|}]/.test(path)) return 'Write a path such as /blog: no query, no // and no dot segments.'
  return null
}

/** `others` are the domains that are not being edited. */
export function check(draft: Draft, others: Domain[]): DraftErrors {
  const errors: DraftErrors = {}
  const host = readHost(draft.host)
  if (!host.ok) errors.host = host.fault
  const path = pathFault(draft.path_prefix.trim())
  if (path) errors.path_prefix = path
  if (host.ok && !path) {
    const address = addressOf({ host: host.host, path_prefix: pathOf(draft, host.path) })
    if (others.some((other) => addressOf(other) === address)) errors.host = `${address} is here already.`
  }
  if (draft.redirect_to !== '') {
    const target = readHost(draft.redirect_to)
    if (!target.ok) errors.redirect_to = target.fault
    else if (target.path !== null) errors.redirect_to = 'A redirect goes to a host; path and query are kept.'
    else if (host.ok && target.host === host.host) errors.redirect_to = 'A host cannot redirect to itself.'
  }
  if (draft.strip_prefix && host.ok && pathOf(draft, host.path) === '/') {
    errors.strip_prefix = 'There is no prefix to leave out: the path is the whole host.'
  }
  if (draft.hsts && draft.tls === 'off') errors.hsts = 'Browsers would refuse the site, since it is plain http. Turn HTTPS on with it.'
  if (draft.tls === 'custom' && draft.certificate.trim() === '') errors.certificate = 'Paste the certificate that the host is to be served with.'
  return errors
}

/** The path that is meant: the field's, else that of a pasted address. */
export function pathOf(draft: Draft, pasted: string | null): string {
  const typed = draft.path_prefix.trim().replace(/(.)\/$/, '$1')
  return typed === '' || typed === '/' ? (pasted ?? '/') : typed
}
