// Reads the plain page that the island replaces, so that what was typed before the script arrived stays.

import { TLS } from '../api/domains'
import type { Caret } from '../parts/focus'
import type { Draft } from './draft'

export interface Taken {
  draft: Draft | null
  focus: Caret | null
  /** Addresses of hosts, with the proxy's ports. */
  links: Map<string, string>
}

/** Null when the page tells what was refused: that stays on it. */
export function readPlainPage(place: HTMLElement): Taken | null {
  if (place.querySelector('.error, .error-summary')) return null
  const links = [...place.querySelectorAll<HTMLAnchorElement>('td a.mono')].map((link) => [link.textContent, link.href] as const)
  const form = place.querySelector<HTMLFormElement>('form[aria-labelledby="add-domain"]')
  return { draft: form && draftIn(new FormData(form)), focus: form && caretIn(form), links: new Map(links) }
}

function draftIn(data: FormData): Draft {
  const text = (name: string) => String(data.get(name) ?? '')
  const isOn = (name: string) => data.getAll(name).includes('true')
  const passwords = data.getAll('password').map(String)
  return {
    host: text('host'),
    path_prefix: text('path_prefix'),
    strip_prefix: isOn('strip_prefix'),
    grpc: isOn('grpc'),
    tls: TLS.find((tls) => tls === text('tls')) ?? 'auto',
    force: isOn('force'),
    redirect_to: text('redirect_to'),
    hsts: isOn('hsts'),
    plain_health: isOn('plain_health'),
    allow_ips: text('allow_ips'),
    basic_auth: data.getAll('user').flatMap((user, at) => (user === '' ? [] : [{ user: String(user), password: passwords[at] || null }])),
    certificate: text('certificate'),
    private_key: text('private_key'),
  }
}

function caretIn(form: HTMLFormElement): Caret | null {
  const field = document.activeElement
  if (!form.contains(field)) return null
  if (field instanceof HTMLInputElement && field.type === 'text') return { id: `add-${field.name}`, at: field.selectionStart }
  return field instanceof HTMLTextAreaElement || field instanceof HTMLSelectElement ? { id: `add-${field.name}`, at: null } : null
}
