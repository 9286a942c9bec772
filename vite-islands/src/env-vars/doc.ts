// What is edited: rows, and in text mode the text that they come from. A text that cannot be read leaves the rows
// as they were until it can be.

import { parse } from './dotenv'
import { type Row, withBlank } from './rows'
import { fromText, toText } from './text'

export interface Doc {
  rows: Row[]
  /** null in table mode. */
  text: string | null
  /** The rows that the text was made of; empty in table mode. */
  known: Row[]
}

export type Mode = 'table' | 'text'

export function tableOf(rows: Row[]): Doc {
  return { rows: withBlank(rows), text: null, known: [] }
}

export function textOf(rows: Row[]): Doc {
  return { rows, text: toText(rows), known: rows }
}

export function modeOf(doc: Doc): Mode {
  return doc.text === null ? 'table' : 'text'
}

export function typeText(doc: Doc, text: string): Doc {
  const read = parse(text)
  return { ...doc, text, rows: read.ok ? fromText(doc.known, read.vars) : doc.rows }
}

/** The same state in another mode. */
export function inMode(doc: Doc, mode: Mode): Doc {
  if (mode === modeOf(doc)) return doc
  if (mode === 'text') return textOf(doc.rows)
  return tableOf(isUntouched(doc) ? doc.known : doc.rows)
}

/** Whether the table can show what the text says. */
export function isReadable(doc: Doc): boolean {
  return doc.text === null || isUntouched(doc) || parse(doc.text).ok
}

function isUntouched(doc: Doc): boolean {
  return doc.text === toText(doc.known)
}
