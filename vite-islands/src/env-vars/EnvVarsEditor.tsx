// The editor of an app's variables. Invariant: whatever the server says, nothing typed is lost.

import { type SubmitEvent, useEffect, useId, useRef, useState } from 'react'
import type { Problem } from '../api/client'
import { type EnvVars, putEnv } from '../api/env'
import type { Caret } from './plainForm'
import {
  blankRow,
  check,
  type Field,
  fieldId,
  FIELDS,
  filled,
  forget,
  isChanged,
  placeErrors,
  type Row,
  type RowErrors,
  rowFrom,
  toVars,
} from './rows'
import { VarRow } from './VarRow'

interface Props {
  app: string
  saved: EnvVars
  /** Whether something is live that changes can be applied to. */
  live: boolean
  /** What was in the plain form's fields, and which of them had the keyboard. */
  taken?: { rows: Row[]; focus: Caret | null } | null
}

const AT_REST = 'Saving alone touches nothing that runs.'
const AT_FIRST = 'Takes effect with the first deployment.'
const NO_ERRORS: RowErrors = new Map()

export function EnvVarsEditor({ app, saved: initial, live, taken }: Props) {
  const atRest = live ? AT_REST : AT_FIRST
  const [saved, setSaved] = useState(initial)
  const [rows, setRows] = useState(() => taken?.rows ?? [...initial.vars.map(rowFrom), blankRow()])
  const [left, setLeft] = useState<ReadonlySet<number>>(new Set())
  const [refused, setRefused] = useState(NO_ERRORS)
  const [problem, setProblem] = useState<Problem | null>(null)
  const [status, setStatus] = useState(atRest)
  const [isSaving, setSaving] = useState(false)
  const [wasSaved, setWasSaved] = useState(false)
  const isLeaving = useRef(false)
  const latest = useRef(rows)
  latest.current = rows
  const focusNext = useRef<Caret | null>(taken?.focus ?? null)
  const statusId = useId()

  const found = check(rows)
  const changed = isChanged(rows, saved.vars)

  useEffect(() => {
    if (!focusNext.current) return
    const { id, at } = focusNext.current
    const field = document.getElementById(id)
    field?.focus()
    if (at !== null && (field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement)) field.setSelectionRange(at, at)
    focusNext.current = null
  })

  useEffect(() => {
    if (!changed) return
    const warn = (event: BeforeUnloadEvent) => {
      if (!isLeaving.current) event.preventDefault()
    }
    window.addEventListener('beforeunload', warn)
    return () => window.removeEventListener('beforeunload', warn)
  }, [changed])

  /** Once the next render is on the page. */
  function focusOn(id: string) {
    focusNext.current = { id, at: null }
  }

  function edit(row: Row, change: Partial<Row>) {
    setRows((now) => now.map((r) => (r.id === row.id ? { ...r, ...change } : r)))
    setStatus(atRest)
    setRefused((now) => forget(now, row.id, Object.keys(change)))
  }

  function add() {
    const row = blankRow()
    focusOn(fieldId(row, 'key'))
    setRows((now) => [...now, row])
  }

  function remove(row: Row) {
    const at = rows.indexOf(row)
    const rest = rows.filter((r) => r !== row)
    if (rest.length === 0) rest.push(blankRow())
    const next = rest[Math.min(at, rest.length - 1)]
    if (next) focusOn(fieldId(next, 'key'))
    setRows(rest)
    setStatus(`${row.key || `Row ${at + 1}`} removed; not saved yet.`)
  }

  /** Server answers win over our own check until the field is edited again. */
  function errorsOf(row: Row): Partial<Record<Field, string>> {
    return { ...(left.has(row.id) ? found.get(row.id) : null), ...refused.get(row.id) }
  }

  function point(at: RowErrors) {
    const row = rows.find((r) => at.get(r.id))
    const field = row && FIELDS.find((f) => at.get(row.id)?.[f])
    if (row && field) focusOn(fieldId(row, field))
  }

  async function save(event: SubmitEvent) {
    event.preventDefault()
    const applies = event.nativeEvent.submitter?.getAttribute('name') === 'apply'
    if (isSaving || !(changed || (applies && wasSaved))) return
    if (!changed) return apply()
    setProblem(null)
    setLeft(new Set(rows.map((row) => row.id)))
    if (found.size > 0) {
      point(found)
      setStatus(`${found.size === 1 ? 'One row' : `${found.size} rows`} to put right; nothing was saved.`)
      return
    }
    const sent = filled(rows)
    setSaving(true)
    setStatus('Saving')
    const answer = await putEnv(app, { version: saved.version, vars: toVars(rows) })
    setSaving(false)
    if (!answer.ok) {
      const placed = placeErrors(sent, answer.problem.errors)
      setRefused(placed.rows)
      point(placed.rows)
      setProblem({ ...answer.problem, errors: placed.rest.map((message) => ({ field: '', message })) })
      setStatus('Nothing was saved; what you typed is still here.')
      return
    }
    setSaved(answer.env)
    setRefused(NO_ERRORS)
    setWasSaved(true)
    if (applies && latest.current === rows) return apply()
    if (latest.current === rows) {
      setLeft(new Set())
      setRows([...answer.env.vars.map((v) => ({ ...rowFrom(v), id: sent.find((r) => r.key === v.key)?.id ?? blankRow().id })), blankRow()])
      setStatus(live ? 'Saved. Not live yet.' : 'Saved. Takes effect with the first deployment.')
      // The button is about to be disabled, and a disabled button drops the focus.
      if (document.activeElement?.matches('button[type=submit]')) focusOn(statusId)
    } else {
      setRows((now) => now.map((row) => ({ ...row, storedAs: answer.env.vars.find((v) => v.secret && v.key === row.key)?.key ?? null })))
      setStatus('Saved, but for what you typed since.')
    }
  }

  /** Leads to the deployment, as the plain form's button does. */
  function apply() {
    isLeaving.current = true
    const form = document.createElement('form')
    form.method = 'post'
    form.action = `/apps/${encodeURIComponent(app)}/apply`
    document.body.append(form)
    form.submit()
  }

  return (
    <form className="card" noValidate onSubmit={save}>
      <table className="table env-table" aria-label="Variables">
        <thead>
          <tr>
            <th scope="col" className="env-key">
              Key
            </th>
            <th scope="col">Value</th>
            <th scope="col" className="env-secret">
              Secret
            </th>
            <th scope="col" className="env-scope">
              Used at
            </th>
            <th scope="col" className="env-remove">
              <span className="visually-hidden">Remove</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <VarRow
              key={row.id}
              row={row}
              number={index + 1}
              errors={errorsOf(row)}
              onEdit={(change) => edit(row, change)}
              onLeave={() => setLeft((now) => new Set(now).add(row.id))}
              onReplace={() => {
                focusOn(fieldId(row, 'value'))
                edit(row, { value: '' })
              }}
              onRemove={() => remove(row)}
            />
          ))}
        </tbody>
      </table>
      {problem && <Refusal problem={problem} />}
      <div className="card-foot form-actions">
        <button type="submit" className="button button-primary" disabled={!changed} aria-busy={isSaving} aria-describedby={statusId}>
          Save
        </button>
        {live && (
          <button type="submit" name="apply" value="now" className="button" disabled={!changed && !wasSaved} aria-describedby={statusId}>
            Save and apply now
          </button>
        )}
        <button type="button" className="button" onClick={add}>
          Add a row
        </button>
        <p className="help" role="status" id={statusId} tabIndex={-1}>
          {status}
        </p>
      </div>
    </form>
  )
}

function Refusal({ problem }: { problem: Problem }) {
  const isConflict = problem.status === 409
  return (
    <div className="card-foot">
      <section className="notice notice-bad" role="alert">
        <h2>{isConflict ? 'Somebody else saved these variables meanwhile' : problem.title}</h2>
        {isConflict ? (
          <p>
            Yours were not saved and are still here. <a href={location.pathname}>Reload to see theirs</a>; what you typed is lost then, so
            copy it first.
          </p>
        ) : (
          problem.detail && <p>{problem.detail}</p>
        )}
        {problem.status === 401 && (
          <p>
            <a href="/login" target="_blank" rel="noreferrer">
              Sign in in another tab
            </a>
            , then save again here.
          </p>
        )}
        {problem.errors.map(({ message }) => (
          <p key={message}>{message}</p>
        ))}
      </section>
    </div>
  )
}
