// What is typed about a domain, over what is stored. Where that changes under the form, fields left alone follow, and
// those that two people changed are told.

import { useState } from 'react'
import type { Problem } from '../api/client'
import type { Domain } from '../api/domains'
import { type Draft, draftOf, FIELDS, type FieldName, inWords, rebase } from './draft'
import type { FieldState } from './Field'
import { check, type DraftErrors, type Read, readHost } from './rules'

export interface EditedDraft {
  base: Draft
  draft: Draft
  read: Read
  found: DraftErrors
  refused: DraftErrors
  edit: (change: Partial<Draft>) => void
  /** The field was left: from now on its errors are told. */
  leave: (field: FieldName) => void
  leaveAll: () => void
  stateOf: (field: FieldName) => FieldState
  /** Places what Dhow refused; the rest belongs to no field. */
  refuse: (problem: Problem) => { placed: DraftErrors; rest: Problem | null }
  restart: () => void
}

export function useDraft(id: string, stored: Domain | null, others: Domain[], first: Draft): EditedDraft {
  const [base, setBase] = useState(() => draftOf(stored))
  const [draft, setDraft] = useState(first)
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set())
  const [refused, setRefused] = useState<DraftErrors>({})
  const [clashes, setClashes] = useState<FieldName[]>([])
  const now = draftOf(stored)

  if (stored && JSON.stringify(now) !== JSON.stringify(base)) {
    const onto = rebase(base, draft, now)
    setBase(now)
    setDraft(onto.draft)
    setClashes(onto.clashes)
  }

  const found = check(draft, others)
  const read = readHost(draft.host)

  function edit(change: Partial<Draft>) {
    const isEdited = (name: string) => Object.keys(change).some((field) => name.startsWith(field))
    setDraft((at) => ({ ...at, ...change }))
    setRefused((at) => Object.fromEntries(Object.entries(at).filter(([name]) => !isEdited(name))))
    setClashes((at) => at.filter((field) => !isEdited(field)))
  }

  return {
    base,
    draft,
    read,
    found,
    refused,
    edit,
    leave: (field) => {
      setLeft((at) => new Set(at).add(field))
      const isPasted = field === 'host' && read.ok && read.path !== null && ['', '/', read.path].includes(draft.path_prefix)
      if (isPasted) edit({ host: read.host, path_prefix: read.path ?? '/' })
    },
    leaveAll: () => setLeft(new Set(FIELDS)),
    stateOf: (field) => ({
      id: `${id}-${field}`,
      error: refused[field] ?? (left.has(field) ? found[field] : undefined),
      theirs: clashes.includes(field) ? inWords(now, field) : undefined,
    }),
    refuse: (problem) => {
      // A host that is somebody else's is a conflict without field errors.
      const told = problem.status === 409 ? [{ field: 'host', message: problem.detail ?? problem.title }] : problem.errors
      const isPlaced = (name: string) => FIELDS.some((field) => name === field || name.startsWith(`${field}[`))
      const placed = Object.fromEntries(told.filter(({ field }) => isPlaced(field)).map(({ field, message }) => [field, message]))
      const rest = told.filter(({ field }) => !isPlaced(field))
      setRefused(placed)
      return { placed, rest: told.length > 0 && rest.length === 0 ? null : { ...problem, errors: rest } }
    },
    restart: () => {
      setDraft(base)
      setLeft(new Set())
    },
  }
}
