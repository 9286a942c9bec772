// The rows of the editor as plain data: what is wrong with them, what they change, what is sent.

import type { FieldError } from '../api/client'
import type { EnvVar, Scope } from '../api/env'
import { isSame } from './changes'
import { keyFault, valueFault } from './variable'

export interface Row {
  /** Stays the same while the row is edited; never sent. */
  id: number
  key: string
  /** null: the stored secret is kept. */
  value: string | null
  secret: boolean
  scope: Scope
  /** The key under which the server holds this row's secret; null if it holds none. */
  storedAs: string | null
}

export const FIELDS = ['key', 'value', 'secret', 'scope'] as const
export type Field = (typeof FIELDS)[number]
/** By row id. */
export type RowErrors = ReadonlyMap<number, Partial<Record<Field, string>>>

let lastId = 0

export function blankRow(): Row {
  return { id: ++lastId, key: '', value: '', secret: false, scope: 'run', storedAs: null }
}

export function rowFrom(v: EnvVar): Row {
  return { ...blankRow(), ...v, storedAs: v.secret ? v.key : null }
}

export function isBlank(row: Row): boolean {
  return row.key === '' && row.value === ''
}

/** The rows of the table: a blank one at the end is there to be filled. */
export function withBlank(rows: Row[]): Row[] {
  const last = rows.at(-1)
  return last && isBlank(last) ? rows : [...rows, blankRow()]
}

/** What would be sent: blank rows are nobody's variable. */
export function filled(rows: Row[]): Row[] {
  return rows.filter((row) => !isBlank(row))
}

export function toVars(rows: Row[]): EnvVar[] {
  return filled(rows).map(({ key, value, secret, scope }) => ({ key, value, secret, scope }))
}

/** Whether saving would change anything; Dhow keeps no order. */
export function isChanged(rows: Row[], saved: EnvVar[]): boolean {
  const now = toVars(rows)
  const stored = new Map(saved.map((v) => [v.key, v]))
  const keys = new Set(now.map((v) => v.key))
  return now.length !== saved.length || keys.size !== saved.length || now.some((v) => !isSame(v, stored.get(v.key)))
}

/** The rules of the API, told before the round trip. */
export function check(rows: Row[]): RowErrors {
  const errors = new Map<number, Partial<Record<Field, string>>>()
  const firstAt = new Map<string, number>()
  rows.forEach((row, index) => {
    if (isBlank(row)) return
    const first = firstAt.get(row.key)
    const found: Partial<Record<Field, string>> = {}
    const fault = row.key === '' ? 'This value has no key yet.' : keyFault(row.key)
    if (fault !== null) found.key = fault
    else if (first !== undefined) found.key = `${row.key} is already in row ${first + 1}.`
    else firstAt.set(row.key, index)
    const valueRule = row.value === null ? null : valueFault(row.value)
    if (valueRule !== null) found.value = valueRule
    else if (row.value === null && row.key !== row.storedAs && !found.key) {
      found.value = `Kept under ${row.storedAs} only. Replace it to use another key.`
    }
    // Nobody means an empty secret: Replace or Override was pressed and nothing typed.
    else if (row.secret && row.value === '') {
      found.value = row.storedAs === null ? 'Type the value; an empty secret is not saved.' : 'Type the value, or choose Keep.'
    }
    if (found.key || found.value) errors.set(row.id, found)
  })
  return errors
}

/** Puts a 422's errors at the rows that were sent; `rest` are those that belong to no row. */
export function placeErrors(sent: Row[], found: FieldError[]): { rows: RowErrors; rest: string[] } {
  const rows = new Map<number, Partial<Record<Field, string>>>()
  const rest: string[] = []
  for (const { field, message } of found) {
    const [, index, name = 'key'] = /^vars\[(\d+)\](?:\.(key|value|secret|scope))?$/.exec(field) ?? []
    const row = index === undefined ? undefined : sent[Number(index)]
    if (row) rows.set(row.id, { ...rows.get(row.id), [name]: message })
    else rest.push(message)
  }
  return { rows, rest }
}

/** The errors without those of the named fields of one row. */
export function forget(errors: RowErrors, id: number, fields: string[]): RowErrors {
  const own = Object.entries(errors.get(id) ?? {}).filter(([field]) => !fields.includes(field))
  return new Map(errors).set(id, Object.fromEntries(own))
}

/** The DOM id of a row's field. */
export function fieldId(row: Row, field: Field): string {
  return `env-${row.id}-${field}`
}
