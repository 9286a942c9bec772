// What the tests of the editor share: an open editor, a server, and names for what is on the page.

import { render, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import type { ComponentProps } from 'react'
import { vi } from 'vitest'
import type { EnvVars } from '../api/env'
import { EnvVarsEditor } from './EnvVarsEditor'

export const SAVED: EnvVars = {
  version: 3,
  vars: [
    { key: 'GREETING', value: 'hello', secret: false, scope: 'run' },
    { key: 'TOKEN', value: null, secret: true, scope: 'both' },
  ],
}

export function open(props: Partial<ComponentProps<typeof EnvVarsEditor>> = {}) {
  render(<EnvVarsEditor app="web" saved={SAVED} live {...props} />)
  return userEvent.setup()
}

/** Answers each request with the next of these, the last one again and again. */
export function serve(...answers: [status: number, body: unknown][]) {
  let at = 0
  const fetch = vi.fn(async (_path: string, _init: { method: string; body: string }) => {
    const [status, body] = answers[Math.min(at++, answers.length - 1)]!
    return new Response(JSON.stringify(body), { status })
  })
  vi.stubGlobal('fetch', fetch)
  return { fetch, sent: () => JSON.parse(fetch.mock.calls.at(-1)?.[1].body ?? 'null') }
}

export const key = (row: number) => screen.getByRole<HTMLInputElement>('textbox', { name: `Key, row ${row}` })
export const value = (row: number) => screen.getByRole<HTMLTextAreaElement>('textbox', { name: `Value, row ${row}` })
export const text = () => screen.getByRole<HTMLTextAreaElement>('textbox', { name: 'Variables as text' })
export const button = (name: string) => screen.getByRole<HTMLButtonElement>('button', { name })
export const status = () => document.querySelector('p[role=status]')?.textContent
export const keys = () => screen.getAllByRole<HTMLInputElement>('textbox', { name: /^Key, row/ }).map((field) => field.value)
