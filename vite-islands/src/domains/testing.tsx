// What the tests of the domains share: stored domains, a server that holds them, and names for what is on the page.

import { render, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import type { ComponentProps } from 'react'
import { vi } from 'vitest'
import { parseDomains } from '../api/domains'
import { DomainsEditor } from './DomainsEditor'

export function raw(host: string, position: number, more: object = {}) {
  return {
    host,
    path_prefix: '/',
    position,
    strip_prefix: false,
    tls: 'auto',
    force: false,
    redirect_to: null,
    hsts: false,
    plain_health: false,
    allow_ips: [],
    basic_auth: [],
    certificate: null,
    state: { https: 'off', words: 'Plain http.', expires_at: null },
    ...more,
  }
}

export const LIST = { version: 3, items: [raw('b.example.org', 2), raw('a.example.org', 1)], next: null }

export function open(list: unknown = LIST, props: Partial<ComponentProps<typeof DomainsEditor>> = {}) {
  render(<DomainsEditor app="web" initial={parseDomains(list)!} hasAcme {...props} />)
  return userEvent.setup()
}

/** Answers changes with the next of these, and every look with the list. */
export function serve(list: unknown, ...changes: [status: number, body: unknown][]) {
  const sent: { method: string; path: string; body: Record<string, unknown> }[] = []
  let at = 0
  const held = { list }
  const fetch = vi.fn(async (path: string, init: { method: string; body?: string }) => {
    if (init.method === 'GET') return Response.json(held.list)
    sent.push({ method: init.method, path, body: JSON.parse(init.body ?? '{}') })
    const [status, body] = changes[Math.min(at++, changes.length - 1)]!
    return new Response(status === 204 ? null : JSON.stringify(body), { status })
  })
  vi.stubGlobal('fetch', fetch)
  return { fetch, sent, held }
}

export const button = (name: string) => screen.getByRole<HTMLButtonElement>('button', { name })
export const field = (name: string) => screen.getByRole<HTMLInputElement>('textbox', { name })
export const status = () => document.querySelector('p[role=status]')?.textContent
export const hosts = () => screen.getAllByRole('button', { name: /^Edit / }).map((b) => b.getAttribute('aria-label')?.slice(5))
export const errorOf = (control: HTMLElement) =>
  control.getAttribute('aria-invalid') === 'true' ? document.getElementById(control.getAttribute('aria-describedby') ?? '')?.textContent : null
