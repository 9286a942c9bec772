// The project's variables stand below the editor, on the page itself. For those that the app has not its own of, this
// puts a button into their rows there.

import { useState } from 'react'
import { createPortal } from 'react-dom'
import type { EnvVar } from '../api/env'

interface Props {
  shared: EnvVar[]
  /** Names that the app sets itself. */
  own: ReadonlySet<string>
  onOverride: (shared: EnvVar) => void
}

export function SharedOverrides({ shared, own, onOverride }: Props) {
  const [cells] = useState(lastCells)
  return shared.map((v) => {
    const cell = cells.get(v.key)
    const button = (
      <button type="button" className="button button-quiet" aria-label={`Override ${v.key}`} onClick={() => onOverride(v)}>
        Override
      </button>
    )
    return cell && !own.has(v.key) ? createPortal(button, cell, v.key) : null
  })
}

/** By name, the last cell of its row. */
function lastCells(): ReadonlyMap<string, Element> {
  const rows = document.querySelectorAll<HTMLTableRowElement>('[aria-label="Variables from the project"] tbody tr')
  return new Map([...rows].flatMap((row) => {
    const [key, cell] = [row.querySelector('code')?.textContent, [...row.cells].at(-1)]
    return key && cell ? [[key, cell] as const] : []
  }))
}
