// The editor of an app's variables: a table and a text over the same rows.

import { type KeyboardEvent, type SubmitEvent, useId, useMemo, useState } from 'react'
import type { EnvVar, EnvVars } from '../api/env'
import { type Caret, useFocusNext } from '../parts/focus'
import { useLeaveGuard } from '../parts/leaving'
import { Refusal } from '../parts/Refusal'
import { Changes } from './ChangeList'
import { changes, merge, needsBuild } from './changes'
import { Conflict, CONFLICT_ID } from './Conflict'
import { isReadable, type Mode, modeOf, tableOf, textOf, typeText } from './doc'
import { type Pair, parse } from './dotenv'
import { PasteNotes } from './PasteNotes'
import { RawText, TEXT_ID } from './RawText'
import { blankRow, check, fieldId, FIELDS, isBlank, isChanged, type Row, type RowErrors, rowFrom, toVars } from './rows'
import { SharedOverrides } from './SharedOverrides'
import { keptRows, withPairs } from './text'
import { Toolbar } from './Toolbar'
import { useDoc } from './useDoc'
import { usePaste } from './usePaste'
import { useSave } from './useSave'
import { firstError, VarTable } from './VarTable'

/** What applying costs, in words. */
export interface Cost {
  restart: string
  build: string
  /** Whether what was saved before and is not live yet needs a build. */
  needsBuild: boolean
}

interface Props {
  app: string
  saved: EnvVars
  /** Whether something is live that changes can be applied to. */
  live: boolean
  cost?: Cost | null
  /** The project's variables. */
  shared?: EnvVar[]
  /** What was in the plain form's fields, and which of them had the keyboard. */
  taken?: { rows: Row[]; focus: Caret | null } | null
  onSaved?: () => void
}

const AT_REST = 'Saving alone touches nothing that runs.'
const AT_FIRST = 'Takes effect with the first deployment.'
const BOTH = 'Both are here now; nothing is saved yet.'
const THEIRS = 'As they saved it. Ctrl+Z brings yours back.'

export function EnvVarsEditor({ app, saved: initial, live, cost, shared = [], taken, onSaved = () => {} }: Props) {
  const atRest = live ? AT_REST : AT_FIRST
  const edited = useDoc(() => (taken ? { ...tableOf([]), rows: taken.rows } : tableOf(initial.vars.map(rowFrom))))
  const { doc, change, switchTo } = edited
  const { rows } = doc
  const saving = useSave(app, initial, edited, onSaved)
  const { saved, theirs, isSaving, wasSaved } = saving
  const [left, setLeft] = useState<ReadonlySet<number>>(new Set())
  const [hidesValues, setHidesValues] = useState(false)
  const [status, setStatus] = useState(atRest)
  const focusOn = useFocusNext(taken?.focus ?? null)
  const statusId = useId()

  const mode = modeOf(doc)
  const read = useMemo(() => parse(doc.text ?? ''), [doc.text])
  const found = check(rows)
  const isDirty = isChanged(rows, saved.vars) || !isReadable(doc)
  const leave = useLeaveGuard(isDirty)
  const paste = usePaste(mode === 'table', takePairs)
  const now = toVars(rows)
  const differences = changes(saved.vars, now)
  const merging = theirs && merge(saved.vars, now, theirs.vars)

  function edit(row: Row, to: Partial<Row>) {
    const [field] = Object.keys(to)
    const isTyping = (field === 'key' || field === 'value') && to.value !== null
    const put = (r: Row) => (r.id === row.id ? { ...r, ...to } : r)
    change((at) => ({ ...at, rows: at.rows.map(put) }), isTyping ? `${row.id} ${field}` : null)
    setStatus(atRest)
    saving.touch(row, Object.keys(to))
  }

  function add(row = blankRow()) {
    focusOn(fieldId(row, row.key ? 'value' : 'key'))
    change((at) => ({ ...at, rows: row.key ? [...at.rows.filter((r) => !isBlank(r)), row, blankRow()] : [...at.rows, row] }))
  }

  function remove(row: Row) {
    const at = rows.indexOf(row)
    const rest = rows.filter((r) => r !== row)
    if (rest.length === 0) rest.push(blankRow())
    const next = rest[Math.min(at, rest.length - 1)]
    if (next) focusOn(fieldId(next, 'key'))
    change((before) => ({ ...before, rows: rest }))
    setStatus(`${row.key || `Row ${at + 1}`} removed; not saved yet. Ctrl+Z brings it back.`)
  }

  function takePairs(pairs: Pair[], restored: Row | null) {
    const before = edited.latest().rows.map((r) => (r.id === restored?.id ? { ...r, value: restored.value } : r))
    const { rows: after, set, added } = withPairs(before, pairs)
    change(() => tableOf(after))
    if (set[0]) focusOn(fieldId(set[0], 'key'))
    setStatus(`${counted(set.length, 'variable')} pasted: ${added} new, ${set.length - added} replaced. Ctrl+Z undoes it.`)
  }

  function travel(direction: 'undo' | 'redo') {
    const before = new Set(rows.map((row) => row.id))
    const after = edited.travel(direction)
    if (!after) return
    const back = after.rows.find((row) => !before.has(row.id) && !isBlank(row))
    if (back && modeOf(after) === 'table') focusOn(fieldId(back, 'key'))
    paste.forget()
    setStatus(direction === 'undo' ? 'Undone.' : 'Done again.')
  }

  function onKeyDown(event: KeyboardEvent) {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return
    const key = event.key.toLowerCase()
    if (key !== 'z' && key !== 'y') return
    event.preventDefault()
    travel(key === 'y' || event.shiftKey ? 'redo' : 'undo')
  }

  function show(to: Mode) {
    if (!isReadable(doc)) {
      focusOn(TEXT_ID)
      setStatus('The table cannot show this text before it can be read; nothing was changed.')
      return
    }
    paste.forget()
    switchTo(to)
  }

  /** Shows where something is wrong. */
  function point(at: RowErrors) {
    if (mode === 'text') return focusOn(TEXT_ID)
    const first = firstError(rows, at, FIELDS)
    if (first) focusOn(fieldId(first.row, first.field))
  }

  async function save(event: SubmitEvent) {
    event.preventDefault()
    const applies = event.nativeEvent.submitter?.getAttribute('name') === 'apply'
    if (isSaving || theirs || !(isDirty || (applies && wasSaved))) return
    if (!isDirty) return apply()
    setLeft(new Set(rows.map((row) => row.id)))
    const wrong = read.ok ? found.size : read.errors.length
    if (wrong > 0) {
      point(found)
      setStatus(`${wrong === 1 ? 'One' : wrong} ${wrong === 1 ? 'line' : 'lines'} to put right; nothing was saved.`)
      return
    }
    paste.forget()
    setStatus('Saving')
    const outcome = await saving.save()
    if (outcome.kind === 'conflict') {
      focusOn(CONFLICT_ID)
      setStatus('Nothing was saved; what you typed is still here.')
    } else if (outcome.kind === 'refused') {
      point(outcome.at)
      setStatus('Nothing was saved; what you typed is still here.')
    } else if (!outcome.whole) {
      setStatus('Saved, but for what you typed since.')
    } else if (applies) {
      apply()
    } else {
      setLeft(new Set())
      // The button is about to be disabled, and a disabled button drops the keyboard.
      if (document.activeElement?.matches('button[type=submit]')) focusOn(statusId)
      setStatus(live ? 'Saved. Not live yet.' : 'Saved. Takes effect with the first deployment.')
    }
  }

  function apply() {
    leave()
    leadToDeployment(app)
  }

  /** Server answers win over our own check until the field is edited again. */
  const errorsOf = (row: Row) => ({ ...(left.has(row.id) ? found.get(row.id) : null), ...saving.refused.get(row.id) })

  function mergeIn(vars: EnvVar[], outcome: string) {
    const known = new Map(rows.map((row) => [row.key, row]))
    const after = vars.map((v) => {
      const own = known.get(v.key)
      return { ...(own ?? rowFrom(v)), ...v, storedAs: theirs?.vars.some((t) => t.secret && t.key === v.key) ? v.key : null }
    })
    saving.acceptTheirs()
    change(() => (mode === 'text' ? textOf(after) : tableOf(after)))
    focusOn(statusId)
    setStatus(outcome)
  }

  return (
    <form className={`card${hidesValues ? ' hides-values' : ''}`} noValidate onSubmit={save} onKeyDown={onKeyDown}>
      <Toolbar mode={mode} onMode={show} hidesValues={hidesValues} onHide={setHidesValues} canUndo={edited.canUndo} canRedo={edited.canRedo} onTravel={travel} />
      {doc.text === null ? (
        <VarTable
          rows={rows}
          errorsOf={errorsOf}
          onEdit={edit}
          onLeave={(row) => setLeft((at) => new Set(at).add(row.id))}
          onReplace={(row) => {
            focusOn(fieldId(row, 'value'))
            edit(row, { value: '' })
          }}
          onRemove={remove}
          onPaste={paste.onPaste}
        />
      ) : (
        <RawText
          text={doc.text}
          read={read}
          kept={keptRows(rows)}
          refused={rows.flatMap((row) => Object.values(errorsOf(row)).map((message) => `${row.key}: ${message}`))}
          onType={(text) => {
            change((at) => typeText(at, text), 'text')
            setStatus(atRest)
          }}
        />
      )}
      <div className="card-foot form-actions">
        <button type="submit" className="button button-primary" disabled={!isDirty} aria-busy={isSaving} aria-describedby={statusId}>
          Save
        </button>
        {live && (
          <button type="submit" name="apply" value="now" className="button" disabled={!isDirty && !wasSaved} aria-describedby={statusId}>
            Save and apply now
          </button>
        )}
        {mode === 'table' && (
          <button type="button" className="button" onClick={() => add()}>
            Add a row
          </button>
        )}
        <p className="help" role="status" id={statusId} tabIndex={-1}>
          {status}
        </p>
      </div>
      <div className="env-more">
        {saving.problem && <Refusal problem={saving.problem} />}
        {merging && <Conflict merge={merging} onMerge={(vars) => mergeIn(vars, BOTH)} onDiscard={() => mergeIn(theirs.vars, THEIRS)} />}
        <PasteNotes paste={paste} />
      </div>
      {mode === 'table' && (
        <SharedOverrides
          shared={shared}
          own={new Set(now.map((v) => v.key))}
          onOverride={(v) => add({ ...blankRow(), key: v.key, value: v.value ?? '', secret: v.secret, scope: v.scope })}
        />
      )}
      {differences.length > 0 && !merging && <Changes changes={differences} cost={costOf(cost, live, needsBuild(saved.vars, now))} />}
    </form>
  )
}

function costOf(cost: Cost | null | undefined, live: boolean, isBuild: boolean): string | null {
  if (!cost || !live) return null
  return isBuild || cost.needsBuild ? cost.build : cost.restart
}

/** As the plain form's button does. */
function leadToDeployment(app: string): void {
  const form = document.createElement('form')
  form.method = 'post'
  form.action = `/apps/${encodeURIComponent(app)}/apply`
  document.body.append(form)
  form.submit()
}

function counted(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}
