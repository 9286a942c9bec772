// Labelled controls with the plain form's markup: help or, in place of it, the error; and what somebody else saved in
// it meanwhile.

import type { ReactNode } from 'react'

export interface FieldState {
  id: string
  error: string | undefined
  theirs: string | undefined
}

interface Props extends FieldState {
  label: string
  help: ReactNode
  children: ReactNode
}

export function Field({ id, label, error, theirs, help, children }: Props) {
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children}
      {error ? (
        <p className="error" id={`${id}-error`}>
          {error}
        </p>
      ) : (
        <p className="help" id={`${id}-help`}>
          {help}
        </p>
      )}
      <Theirs words={theirs} />
    </div>
  )
}

/** A check box with its words beside it. */
export function Switch({ id, label, error, theirs, help, children }: Props) {
  return (
    <div className="choices">
      <label className="choice">
        {children}{' '}
        <span>
          {label} <span className="help">{help}</span>
        </span>
      </label>
      {error && (
        <p className="error" id={`${id}-error`}>
          {error}
        </p>
      )}
      <Theirs words={theirs} />
    </div>
  )
}

function Theirs({ words }: { words: string | undefined }) {
  return words === undefined ? null : <p className="error">Saved by somebody else meanwhile: {words}. Saving replaces it.</p>
}

/** What a control says about its words. */
export function aria({ id, error }: FieldState, hasHelp: boolean) {
  if (error) return { id, 'aria-invalid': true, 'aria-describedby': `${id}-error` } as const
  return hasHelp ? ({ id, 'aria-describedby': `${id}-help` } as const) : { id }
}
