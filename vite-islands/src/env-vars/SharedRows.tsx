// The project's variables that this app gets too: to read, and to override by one of its own.

import type { EnvVar } from '../api/env'

interface Props {
  shared: EnvVar[]
  /** Names that the app sets itself. */
  own: ReadonlySet<string>
  onOverride: (shared: EnvVar) => void
}

export function SharedRows({ shared, own, onOverride }: Props) {
  return (
    <tbody className="env-shared">
      <tr>
        <th scope="rowgroup" colSpan={5}>
          From the project, for all its apps
        </th>
      </tr>
      {shared.map((v) => (
        <tr key={v.key}>
          <td className="env-key" data-label="Key">
            <code>{v.key}</code>
          </td>
          <td className="env-value" data-label="Value">
            {v.value === null ? <span className="muted">not shown</span> : <code>{v.value}</code>}
          </td>
          <td className="env-secret" data-label="Secret">
            {v.secret ? 'secret' : ''}
          </td>
          <td className="env-scope" data-label="Used at">
            {v.scope}
          </td>
          <td className="env-remove">
            {own.has(v.key) ? (
              <span className="muted">overridden</span>
            ) : (
              <button type="button" className="button button-quiet" aria-label={`Override ${v.key}`} onClick={() => onOverride(v)}>
                Override
              </button>
            )}
          </td>
        </tr>
      ))}
    </tbody>
  )
}
