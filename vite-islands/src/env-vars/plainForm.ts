// Reads the plain form that the island replaces, so that what was typed before the script arrived stays.

import { type EnvVar, SCOPES } from '../api/env'
import type { Caret } from '../parts/focus'
import { blankRow, fieldId, FIELDS, type Row, rowFrom } from './rows'

/** The form's rows, those ticked for removal left out; null when `place` holds no such form. */
export function readPlainForm(place: HTMLElement, saved: EnvVar[]): { rows: Row[]; focus: Caret | null } | null {
  const lines = [...place.querySelectorAll('tbody tr')]
  const rows: Row[] = []
  let focus: Caret | null = null
  for (const line of lines) {
    const key = line.querySelector<HTMLInputElement>('[name="key"]')
    const value = line.querySelector<HTMLTextAreaElement>('[name="value"]')
    const secret = line.querySelector<HTMLInputElement>('[name="secret"]')
    const scope = line.querySelector<HTMLSelectElement>('[name="scope"]')
    if (!key || !value || !secret || !scope) return null
    if (line.querySelector<HTMLInputElement>('[name="remove"]')?.checked) continue
    const stored = saved.find((v) => v.key === key.defaultValue)
    const row = {
      ...(stored ? rowFrom(stored) : blankRow()),
      key: key.value,
      value: stored && isUntouched(stored, value) ? stored.value : value.value,
      secret: secret.checked,
      scope: SCOPES.find((s) => s === scope.value) ?? 'run',
    }
    rows.push(row)
    const field = FIELDS.find((name) => ({ key, value, secret, scope })[name] === document.activeElement)
    if (field) focus = { id: fieldId(row, field), at: field === 'key' ? key.selectionStart : field === 'value' ? value.selectionStart : null }
  }
  return lines.length > 0 ? { rows, focus } : null
}

/** A textarea shows every line break as \n; a value that only differs in that is as stored. */
function isUntouched(stored: EnvVar, field: HTMLTextAreaElement): boolean {
  return field.value === (stored.value ?? '').replace(/\r\n?/g, '\n')
}
