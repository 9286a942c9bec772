// The edited state with its history. A change of mode is no step: what is undone is what was written.

import { useRef, useState } from 'react'
import { type Doc, inMode, type Mode, modeOf } from './doc'
import { begin, type History, redo, step, undo } from './history'

export interface EditedDoc {
  doc: Doc
  canUndo: boolean
  canRedo: boolean
  /** `place` joins typing in one place to one step. */
  change: (to: (now: Doc) => Doc, place?: string | null) => void
  /** Steps back or forward; answers the state after it, null when there is none. */
  travel: (direction: 'undo' | 'redo') => Doc | null
  switchTo: (mode: Mode) => void
  /** Forgets what was before. */
  restart: (doc: Doc) => void
  /** The state at this very moment, for what goes on after a wait. */
  latest: () => Doc
  /** Changes the state without a step, for what the server said. */
  adjust: (to: (now: Doc) => Doc) => void
}

export function useDoc(first: () => Doc): EditedDoc {
  const [history, setHistory] = useState(() => begin(first()))
  const latest = useRef(history)
  latest.current = history

  function set(next: History<Doc>) {
    latest.current = next
    setHistory(next)
  }

  return {
    doc: history.now,
    canUndo: history.past.length > 0,
    canRedo: history.future.length > 0,
    change: (to, place = null) => set(step(latest.current, to(latest.current.now), place, Date.now())),
    travel: (direction) => {
      const next = (direction === 'undo' ? undo : redo)(latest.current)
      if (!next) return null
      const now = inMode(next.now, modeOf(latest.current.now))
      set({ ...next, now })
      return now
    },
    switchTo: (mode) => set({ ...latest.current, now: inMode(latest.current.now, mode), last: null }),
    restart: (doc) => set(begin(doc)),
    latest: () => latest.current.now,
    adjust: (to) => set({ ...latest.current, now: to(latest.current.now) }),
  }
}
