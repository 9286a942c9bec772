// Adds a domain or changes one, with the plain form's markup. Invariant: whatever Dhow says, what was typed stays.

import { type SubmitEvent, useRef, useState } from 'react'
import type { Problem } from '../api/client'
import { addressOf, type Domain } from '../api/domains'
import { useFocusNext } from '../parts/focus'
import { useLeaveGuard } from '../parts/leaving'
import { Refusal } from '../parts/Refusal'
import { DomainFields } from './DomainFields'
import { bodyOf, changedFields, type Draft, draftOf, FIELDS } from './draft'
import { type DraftErrors, pathOf } from './rules'
import { useDraft } from './useDraft'
import type { Outcome } from './useDomains'

interface Props {
  /** Begins the ids of its fields. */
  id: 'add' | 'edit'
  /** The domain that is changed, as it was when the form was opened. */
  edited: Domain | null
  /** The same as it is stored now; null when it is there no more. */
  stored: Domain | null
  others: Domain[]
  hasAcme: boolean
  /** What was in the plain form's fields. */
  first?: Draft | null
  isHidden?: boolean
  onSave: (body: Record<string, unknown>, isAdded: boolean) => Promise<Outcome>
  /** Where the domain is now. */
  onDone: (address: string) => void
  onCancel?: () => void
}

export function DomainForm({ id, edited, stored, others, hasAcme, first, isHidden = false, onSave, onDone, onCancel }: Props) {
  const form = useDraft(id, stored, others, first ?? draftOf(edited))
  const { base, draft, read, found } = form
  const [problem, setProblem] = useState<Problem | null>(null)
  const [isStale, setStale] = useState(false)
  const isBusy = useRef(false)
  const focusOn = useFocusNext()
  const isAdded = stored === null
  const isGone = edited !== null && isAdded
  const changed = changedFields(base, draft)
  useLeaveGuard(changed.length > 0)

  function pointAt(errors: DraftErrors) {
    const field = FIELDS.find((name) => Object.keys(errors).some((key) => key.startsWith(name)))
    if (field) focusOn(`${id}-${field}`)
  }

  async function save(event: SubmitEvent) {
    event.preventDefault()
    if (isBusy.current) return
    form.leaveAll()
    setProblem(null)
    if (Object.keys(found).length > 0) return pointAt(found)
    const address = read.ok ? addressOf({ host: read.host, path_prefix: pathOf(draft, read.path) }) : draft.host
    if (changed.length === 0 && !isAdded) return onDone(address)
    isBusy.current = true
    const outcome = await onSave(isAdded ? { host: draft.host, ...bodyOf(draftOf(null), draft) } : bodyOf(base, draft), isAdded)
    isBusy.current = false
    setStale(outcome.kind === 'stale')
    if (outcome.kind === 'done') {
      form.restart()
      onDone(address)
    } else if (outcome.kind === 'stale') {
      focusOn(`${id}-stale`)
    } else {
      const { placed, rest } = form.refuse(outcome.problem)
      setProblem(rest)
      pointAt(placed)
    }
  }

  return (
    <form className="form card card-body" hidden={isHidden} noValidate onSubmit={save} aria-labelledby={`${id}-domain`}>
      <h2 id={`${id}-domain`}>{edited ? <>Change <span className="mono">{addressOf(edited)}</span></> : 'Add a domain'}</h2>
      {(isStale || isGone) && (
        <section className="notice notice-warn" role="alert" id={`${id}-stale`} tabIndex={-1}>
          <h3>Somebody else changed these domains meanwhile; nothing of yours was saved</h3>
          <p>
            {isGone
              ? 'This one was removed or renamed. What you typed is still here; saving adds it again.'
              : 'Theirs are shown now, and what you typed is still here. Save again to have it.'}
          </p>
        </section>
      )}
      {problem && <Refusal problem={problem} />}
      <DomainFields form={form} hasAcme={hasAcme} />
      <div className="form-actions">
        <button className="button button-primary">{edited ? 'Save' : 'Add domain'}</button>
        {onCancel && (
          <button type="button" className="button" onClick={onCancel}>
            Back
          </button>
        )}
        <p className="help">Applies at once, without a deployment.{!edited && " The first domain is the app's address."}</p>
      </div>
    </form>
  )
}
