// What saving would change, and what having it applied costs.

import type { Change } from './changes'

/** So many are named; the rest is counted. */
const NAMED = 12

export function Changes({ changes, cost }: { changes: Change[]; cost: string | null }) {
  return (
    <div className="card-foot env-changes">
      <p>
        <b>Not saved yet:</b> <ChangeList changes={changes} />
      </p>
      {cost && <p className="help">Applying: {cost}</p>}
    </div>
  )
}

export function ChangeList({ changes }: { changes: Change[] }) {
  const more = changes.length - NAMED
  return (
    <>
      {changes.slice(0, NAMED).map(({ key, kind, notes }, i) => (
        <span key={key}>
          {i > 0 && ', '}
          <code>{key}</code> ({kind === 'changed' ? notes.join(', ') : kind})
        </span>
      ))}
      {more > 0 && ` and ${more} more`}
    </>
  )
}
