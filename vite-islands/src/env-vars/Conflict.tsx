// Somebody else saved meanwhile: shows both sides and lets one choose. Nothing is lost, nothing is saved here.

import { useState } from 'react'
import type { EnvVar } from '../api/env'
import { ChangeList } from './ChangeList'
import type { Clash, Merge } from './changes'

export const CONFLICT_ID = 'env-conflict'

interface Props {
  merge: Merge
  onMerge: (vars: EnvVar[]) => void
  onDiscard: () => void
}

export function Conflict({ merge, onMerge, onDiscard }: Props) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())

  function choose(key: string, takesTheirs: boolean) {
    const next = new Set(chosen)
    if (takesTheirs) next.add(key)
    else next.delete(key)
    setChosen(next)
  }

  return (
    <section className="notice notice-warn" role="alert" id={CONFLICT_ID} tabIndex={-1}>
      <h2>Somebody else saved these variables meanwhile; nothing of yours was saved</h2>
      {merge.theirs.length > 0 && (
        <p>
          Theirs, and kept: <ChangeList changes={merge.theirs} />
        </p>
      )}
      {merge.clashes.map((clash) => (
        <Choice key={clash.key} clash={clash} takesTheirs={chosen.has(clash.key)} onChoose={(is) => choose(clash.key, is)} />
      ))}
      <div className="form-actions">
        <button type="button" className="button" onClick={() => onMerge(merge.merged((key) => chosen.has(key)))}>
          Go on with both
        </button>
        <button type="button" className="button button-quiet" onClick={onDiscard}>
          Show theirs alone
        </button>
        <p className="help">Either can be undone, and saves nothing yet.</p>
      </div>
    </section>
  )
}

function Choice({ clash, takesTheirs, onChoose }: { clash: Clash; takesTheirs: boolean; onChoose: (theirs: boolean) => void }) {
  const option = (words: string, isTheirs: boolean, v: EnvVar | undefined) => (
    <label className="choice">
      <input type="radio" name={`clash-${clash.key}`} checked={takesTheirs === isTheirs} onChange={() => onChoose(isTheirs)} />
      <span>
        {words}: {shown(v, isTheirs)}
      </span>
    </label>
  )
  return (
    <fieldset className="bare env-clash">
      <legend>
        <code>{clash.key}</code>
      </legend>
      {option('Yours', false, clash.mine)}
      {option('Theirs', true, clash.theirs)}
    </fieldset>
  )
}

/** So much of a value is shown. */
const SHOWN = 200

function shown(v: EnvVar | undefined, isTheirs: boolean) {
  if (!v) return 'removed'
  const scope = v.scope === 'run' ? '' : `, used at ${v.scope}`
  if (v.secret) return `${v.value !== null ? 'the secret you typed' : isTheirs ? 'the stored secret, which may be a new one' : 'the stored secret'}${scope}`
  if (!v.value) return `an empty value${scope}`
  return (
    <>
      <code>{v.value.length > SHOWN ? `${v.value.slice(0, SHOWN)}…` : v.value}</code>
      {scope}
    </>
  )
}
