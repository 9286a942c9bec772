// The text mode over the rows. Names and values come from the text; how a known name is kept (secret, where used)
// stays. A stored secret is not in the text and stays too; a line with its name replaces it.

import { type Pair, parse, type Parsed, serialise } from './dotenv'
import { blankRow, filled, type Row } from './rows'

export function toText(rows: Row[]): string {
  return serialise(filled(rows).flatMap(({ key, value }) => (value === null ? [] : [{ key, value }])))
}

/** Those that the text does not show and does not touch. */
export function keptRows(rows: Row[]): Row[] {
  return rows.filter((row) => row.value === null)
}

/** `known` are the rows that the text was made of. */
export function fromText(known: Row[], pairs: Pair[]): Row[] {
  const values = new Map(pairs.map(({ key, value }) => [key, value]))
  const stays = filled(known).filter((row, i, all) => {
    if (!values.has(row.key)) return row.value === null
    return all.findIndex((r) => r.key === row.key) === i
  })
  return withPairs(stays, pairs).rows
}

/** What a paste does to the rows, with the rows that it set. */
export function withPairs(rows: Row[], pairs: Pair[]): { rows: Row[]; set: Row[]; added: number } {
  const now = filled(rows)
  const set: Row[] = []
  let added = 0
  for (const { key, value } of pairs) {
    const at = now.findIndex((row) => row.key === key)
    const known = now[at]
    const row = { ...(known ?? blankRow()), key, value }
    if (known) {
      now[at] = row
    } else {
      now.push(row)
      added += 1
    }
    set.push(row)
  }
  return { rows: now, set, added }
}

/** A text that is not one value but a file: more than one line that sets something. Null for anything else. */
export function readFile(text: string): Parsed | null {
  const lines = text.split(/\r\n?|\n/).filter((line) => /^\s*(export\s+)?[A-Za-z_][A-Za-z0-9_]*[ \t]*=/.test(line))
  return lines.length > 1 ? parse(text) : null
}
