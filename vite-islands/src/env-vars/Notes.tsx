// Sentences about lines of a text; each leads to its line where there is a way.

import type { LineNote } from './dotenv'

export function Notes({ id, notes, onGo }: { id?: string; notes: LineNote[]; onGo?: (line: number) => void }) {
  return (
    <ul className="env-notes" id={id}>
      {notes.map(({ line, message }, index) => (
        <li key={index}>
          {onGo ? (
            <button type="button" className="button button-quiet" onClick={() => onGo(line)}>
              Line {line}
            </button>
          ) : (
            <b>Line {line}</b>
          )}
          : {message}
        </li>
      ))}
    </ul>
  )
}
