// Who may open a domain, with a password each, and a blank row. A stored password is never shown; an empty field
// keeps it; a row without a name is nobody.

import type { ReactNode } from 'react'
import type { SiteUser } from '../api/domains'
import { aria, type FieldState } from './Field'

interface Props {
  id: string
  users: SiteUser[]
  /** Names with a stored password. */
  kept: ReadonlySet<string>
  /** By the API's names, as `basic_auth[0].user`. */
  errors: Partial<Record<string, string>>
  onChange: (users: SiteUser[]) => void
}

const NOBODY: SiteUser = { user: '', password: null }

export function SiteUsers({ id, users, kept, errors, onChange }: Props) {
  const rows = users.at(-1)?.user === '' ? users : [...users, NOBODY]
  const put = (at: number, change: Partial<SiteUser>) => onChange(rows.map((row, i) => (i === at ? { ...row, ...change } : row)))
  // Dhow is sent those with names only, and counts these.
  let index = 0
  return (
    <fieldset id={id} tabIndex={-1}>
      <legend>Passwords</legend>
      <p className="help">Who has one may open it; left empty, nobody is asked. An empty name removes its row. A password is never shown again.</p>
      {errors.basic_auth && <p className="error">{errors.basic_auth}</p>}
      {rows.map((row, at) => {
        const sent = row.user.trim() === '' ? null : `basic_auth[${index++}]`
        const state = (part: 'user' | 'password'): FieldState => ({
          id: `${id}-${part}-${at}`,
          error: sent === null ? undefined : errors[`${sent}.${part}`],
          theirs: undefined,
        })
        const number = at === 0 ? '' : `, row ${at + 1}`
        return (
          <div className="fields" key={at}>
            <UserField state={state('user')} label={`Name${number}`}>
              <input
                {...aria(state('user'), false)}
                className="mono"
                value={row.user}
                autoComplete="off"
                autoCapitalize="none"
                spellCheck={false}
                onChange={(e) => put(at, { user: e.target.value })}
              />
            </UserField>
            <UserField state={state('password')} label={`Password${number}`}>
              <input
                {...aria(state('password'), false)}
                type="password"
                value={row.password ?? ''}
                placeholder={kept.has(row.user) ? 'Kept. Type to replace it.' : ''}
                autoComplete="new-password"
                onChange={(e) => put(at, { password: e.target.value === '' ? null : e.target.value })}
              />
            </UserField>
          </div>
        )
      })}
    </fieldset>
  )
}

function UserField({ state: { id, error }, label, children }: { state: FieldState; label: string; children: ReactNode }) {
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children}
      {error && (
        <p className="error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  )
}
