// Mode, hidden values, undo. As high as the plain form's head, so that nothing moves when the island takes over.

import type { Mode } from './doc'

interface Props {
  mode: Mode
  onMode: (mode: Mode) => void
  hidesValues: boolean
  onHide: (hides: boolean) => void
  canUndo: boolean
  canRedo: boolean
  onTravel: (direction: 'undo' | 'redo') => void
}

export function Toolbar({ mode, onMode, hidesValues, onHide, canUndo, canRedo, onTravel }: Props) {
  const modeButton = (to: Mode, words: string) => (
    <button type="button" className="button button-quiet" aria-pressed={mode === to} onClick={() => onMode(to)}>
      {words}
    </button>
  )
  return (
    <div className="card-head env-head" role="group" aria-labelledby="env-heading">
      <h2 id="env-heading">Variables</h2>
      <span className="env-modes">
        {modeButton('table', 'Table')}
        {modeButton('text', 'Text')}
      </span>
      <button type="button" className="button button-quiet" aria-pressed={hidesValues} onClick={() => onHide(!hidesValues)}>
        Hide values
      </button>
      <button type="button" className="button button-quiet" aria-disabled={!canUndo} aria-keyshortcuts="Control+Z" onClick={() => onTravel('undo')}>
        Undo
      </button>
      <button type="button" className="button button-quiet" aria-disabled={!canRedo} aria-keyshortcuts="Control+Shift+Z" onClick={() => onTravel('redo')}>
        Redo
      </button>
    </div>
  )
}
