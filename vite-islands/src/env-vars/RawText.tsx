// The variables as text. Invariant: what is typed stays as it is, also while it cannot be read.

import { useRef } from 'react'
import type { Parsed } from './dotenv'
import { Notes } from './Notes'
import type { Row } from './rows'

export const TEXT_ID = 'env-text'
const NOTES_ID = 'env-text-notes'

interface Props {
  text: string
  read: Parsed
  /** Stored secrets: not in the text. */
  kept: Row[]
  /** What Dhow or the table's rules say about a variable. */
  refused: string[]
  onType: (text: string) => void
}

export function RawText({ text, read, kept, refused, onType }: Props) {
  const field = useRef<HTMLTextAreaElement>(null)
  const notes = read.ok ? read.warnings : read.errors

  function goTo(line: number) {
    const begin = text.split('\n').slice(0, line - 1).join('\n').length + (line > 1 ? 1 : 0)
    const end = text.indexOf('\n', begin)
    field.current?.focus()
    field.current?.setSelectionRange(begin, end === -1 ? text.length : end)
  }

  return (
    <div className="card-body env-text">
      <textarea
        ref={field}
        id={TEXT_ID}
        className="mono"
        aria-label="Variables as text"
        aria-invalid={!read.ok}
        aria-describedby={notes.length > 0 ? NOTES_ID : undefined}
        rows={Math.min(Math.max(text.split('\n').length, 8), 24)}
        value={text}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        onChange={(e) => onType(e.target.value)}
      />
      {notes.length > 0 && (
        <section className={`notice ${read.ok ? 'notice-warn' : 'notice-bad'}`}>
          <h2>{read.ok ? 'Read, but perhaps not as meant' : 'This cannot be read yet'}</h2>
          <Notes id={NOTES_ID} notes={notes} onGo={goTo} />
        </section>
      )}
      {refused.map((message) => (
        <p className="error" key={message}>
          {message}
        </p>
      ))}
      <p className="help">
        One <code>NAME=value</code> a line; quotes hold several lines. Comments are not kept.
        {kept.length > 0 && (
          <>
            {' '}
            Stored secrets stay as they are; a line with the name replaces one:{' '}
            {kept.map((row, i) => (
              <span key={row.id}>
                {i > 0 && ', '}
                <code>{row.key}</code>
              </span>
            ))}
            .
          </>
        )}
      </p>
    </div>
  )
}
