// What is to be known about a paste: an offer, what was refused, what was perhaps not meant.

import { Notes } from './Notes'
import type { Pasting } from './usePaste'

export function PasteNotes({ paste }: { paste: Pasting }) {
  const { offer, notes } = paste
  return (
    <>
      {offer && (
        <section className="notice notice-info" role="status">
          <h2>This looks like {offer.pairs.length} variables</h2>
          <p>
            It is the value of {offer.row.key ? <code>{offer.row.key}</code> : 'this row'} now. In it are{' '}
            {offer.pairs.map(({ key }, i) => (
              <span key={key}>
                {i > 0 && ', '}
                <code>{key}</code>
              </span>
            ))}
            .
          </p>
          <div className="form-actions">
            <button type="button" className="button" onClick={paste.accept}>
              Make rows of them
            </button>
            <button type="button" className="button button-quiet" onClick={paste.forget}>
              Keep it as the value
            </button>
          </div>
        </section>
      )}
      {notes && notes.lines.length > 0 && (
        <section className={`notice ${notes.isRefused ? 'notice-bad' : 'notice-warn'}`} role="alert">
          <h2>{notes.isRefused ? 'Nothing was pasted: the text cannot be read' : 'Pasted, but perhaps not as meant'}</h2>
          <Notes notes={notes.lines} />
        </section>
      )}
    </>
  )
}
