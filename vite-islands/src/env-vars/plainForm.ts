// Reads the plain form that the island replaces, so that what was typed before the script arrived stays.

import { type EnvVar, SCOPES } from '../api/env'
import { blankRow, type Row, rowFrom } from './rows'

/** The form's rows, those ticked for removal left out; null when `place` holds no such form. */
export function readPlainForm(place: HTMLElement, saved: EnvVar[]): Row[] | null {
  const lines = [...place.querySelectorAll('tbody tr')]
  if (lines.length === 0) return null
  const rows: Row[] = []
  for (const line of lines) {
    const key = line.querySelector<HTMLInputElement>('[name="key"]')
    const value = line.querySelector<HTMLTextAreaElement>('[name="value"]')
    const secret = line.querySelector<HTMLInputElement>('[name="secret"]')
    const scope = line.querySelector<HTMLSelectElement>('[name="scope"]')
    if (!key || !value || !secret || !scope) return null
    if (line.querySelector<HTMLInputElement>('[name="remove"]')?.checked) continue
    const stored = saved.find((v) => v.key === key.defaultValue)
    rows.push({
      ...(stored ? rowFrom(stored) : blankRow()),
      key: key.value,
      value: stored && isUntouched(stored, value) ? stored.value : value.value,
      secret: secret.checked,
      scope: SCOPES.find((s) => s === scope.value) ?? 'run',
    })
  }
  return rows
}

/** A textarea shows every line break as \n; a value that only differs in that is as stored. */
function isUntouched(stored: EnvVar, field: HTMLTextAreaElement): boolean {
  return field.value === (stored.value ?? '').replace(/\r\n?/g, '\n')
}

/** Which field of which line has the keyboard, to give it back after the swap. */
export function focusedField(place: HTMLElement): { line: number; name: string } | null {
  const active = document.activeElement
  if (!active || !place.contains(active)) return null
  const lines = [...place.querySelectorAll('tbody tr')]
  const line = lines.findIndex((l) => l.contains(active))
  const name = active.getAttribute('name')
  return line >= 0 && name ? { line, name } : null
}
