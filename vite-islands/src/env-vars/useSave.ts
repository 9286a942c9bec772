// Saving. Invariant: whatever the server says, nothing typed is lost, and nobody else's change is overwritten unseen.

import { useState } from 'react'
import type { Problem } from '../api/client'
import { type EnvVars, getEnv, putEnv } from '../api/env'
import { type Doc, modeOf, tableOf, textOf } from './doc'
import { blankRow, filled, forget, placeErrors, type Row, type RowErrors, rowFrom, toVars } from './rows'
import type { EditedDoc } from './useDoc'

const NO_ERRORS: RowErrors = new Map()

export type Outcome =
  /** `whole`: nothing was typed since. */
  | { kind: 'saved'; whole: boolean }
  /** `at` are the rows that were refused. */
  | { kind: 'refused'; at: RowErrors }
  | { kind: 'conflict' }

export interface Saving {
  saved: EnvVars
  refused: RowErrors
  problem: Problem | null
  /** What somebody else saved meanwhile. */
  theirs: EnvVars | null
  isSaving: boolean
  wasSaved: boolean
  save: () => Promise<Outcome>
  /** From now on what is saved is compared with theirs. */
  acceptTheirs: () => void
  touch: (row: Row, fields: string[]) => void
}

export function useSave(app: string, initial: EnvVars, edited: EditedDoc, onSaved: () => void): Saving {
  const [saved, setSaved] = useState(initial)
  const [refused, setRefused] = useState(NO_ERRORS)
  const [problem, setProblem] = useState<Problem | null>(null)
  const [theirs, setTheirs] = useState<EnvVars | null>(null)
  const [isSaving, setSaving] = useState(false)
  const [wasSaved, setWasSaved] = useState(false)

  async function save(): Promise<Outcome> {
    const sent = edited.latest()
    setProblem(null)
    setTheirs(null)
    setSaving(true)
    const answer = await putEnv(app, { version: saved.version, vars: toVars(sent.rows) })
    const now = !answer.ok && answer.problem.status === 409 ? await getEnv(app) : null
    setSaving(false)
    if (answer.ok) {
      const whole = edited.latest() === sent
      setSaved(answer.env)
      setRefused(NO_ERRORS)
      setWasSaved(true)
      if (whole) edited.restart(stored(sent, answer.env))
      else edited.adjust((doc) => markStored(doc, answer.env))
      onSaved()
      return { kind: 'saved', whole }
    }
    if (now?.ok) {
      setTheirs(now.env)
      return { kind: 'conflict' }
    }
    const placed = placeErrors(filled(sent.rows), answer.problem.errors)
    setRefused(placed.rows)
    setProblem({ ...answer.problem, errors: placed.rest.map((message) => ({ field: '', message })) })
    return { kind: 'refused', at: placed.rows }
  }

  function acceptTheirs() {
    if (theirs) setSaved(theirs)
    setTheirs(null)
  }

  const touch = (row: Row, fields: string[]) => setRefused((now) => forget(now, row.id, fields))
  return { saved, refused, problem, theirs, isSaving, wasSaved, save, acceptTheirs, touch }
}

/** What is stored now, in the mode and with the rows' identities of what was sent. */
function stored(sent: Doc, env: EnvVars): Doc {
  const rows = env.vars.map((v) => ({ ...rowFrom(v), id: sent.rows.find((r) => r.key === v.key)?.id ?? blankRow().id }))
  return modeOf(sent) === 'text' ? textOf(rows) : tableOf(rows)
}

/** Secrets are held by the server from now on, also under what was typed since. */
function markStored(doc: Doc, env: EnvVars): Doc {
  const mark = (row: Row) => ({ ...row, storedAs: env.vars.find((v) => v.secret && v.key === row.key)?.key ?? null })
  return { ...doc, rows: doc.rows.map(mark), known: doc.known.map(mark) }
}
