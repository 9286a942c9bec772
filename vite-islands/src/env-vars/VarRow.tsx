// One line of the table, with the same markup as the plain form's line.

import type { ClipboardEvent } from 'react'
import { SCOPES } from '../api/env'
import { afterPress } from '../parts/press'
import { type Field, fieldId, isBlank, type Row } from './rows'

interface Props {
  row: Row
  /** 1-based, for people. */
  number: number
  errors: Partial<Record<Field, string>>
  onEdit: (change: Partial<Row>) => void
  onLeave: () => void
  onReplace: () => void
  onRemove: () => void
  onPaste: (event: ClipboardEvent, field: 'key' | 'value') => void
}

export function VarRow({ row, number, errors, onEdit, onLeave, onReplace, onRemove, onPaste }: Props) {
  const wrong = (field: Field) =>
    errors[field] ? ({ 'aria-invalid': true, 'aria-describedby': `${fieldId(row, field)}-error` } as const) : {}
  const message = (field: Field) =>
    errors[field] && (
      <p className="error" id={`${fieldId(row, field)}-error`}>
        {errors[field]}
      </p>
    )
  const isKept = row.value === null
  const name = row.key || `row ${number}`

  return (
    <tr>
      <td className="env-key" data-label="Key">
        <input
          className="mono"
          id={fieldId(row, 'key')}
          name="key"
          value={row.key}
          aria-label={`Key, row ${number}`}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          onChange={(e) => onEdit({ key: e.target.value })}
          onPaste={(e) => onPaste(e, 'key')}
          onBlur={() => afterPress(onLeave)}
          {...wrong('key')}
        />
        {message('key')}
      </td>
      <td className="env-value" data-label="Value">
        {isKept ? (
          <div className="env-kept">
            <span>kept</span>
            <button
              type="button"
              className="button button-quiet"
              id={fieldId(row, 'value')}
              aria-label={`Replace the value of ${name}`}
              onClick={onReplace}
              {...wrong('value')}
            >
              Replace
            </button>
          </div>
        ) : (
          <div className="env-typed">
            <textarea
              className="mono"
              id={fieldId(row, 'value')}
              name="value"
              rows={linesShown(row.value ?? '')}
              value={row.value ?? ''}
              aria-label={`Value, row ${number}`}
              autoComplete="off"
              spellCheck={false}
              onChange={(e) => onEdit({ value: e.target.value })}
              onPaste={(e) => onPaste(e, 'value')}
              {...wrong('value')}
            />
            {row.storedAs !== null && (
              <button
                type="button"
                className="button button-quiet"
                aria-label={`Keep the stored value of ${name}`}
                onClick={() => onEdit({ value: null, secret: true })}
              >
                Keep
              </button>
            )}
          </div>
        )}
        {message('value')}
      </td>
      <td className="env-secret" data-label="Secret">
        <label className="choice">
          <input
            type="checkbox"
            id={fieldId(row, 'secret')}
            name="secret"
            checked={row.secret}
            // A kept value can only stay a secret: nobody has it to show.
            disabled={isKept}
            onChange={(e) => onEdit({ secret: e.target.checked })}
            {...wrong('secret')}
          />
          <span className="visually-hidden">Secret, row {number}</span>
        </label>
        {message('secret')}
      </td>
      <td className="env-scope" data-label="Used at">
        <select
          id={fieldId(row, 'scope')}
          name="scope"
          value={row.scope}
          aria-label={`Used at, row ${number}`}
          onChange={(e) => onEdit({ scope: SCOPES.find((s) => s === e.target.value) ?? row.scope })}
          {...wrong('scope')}
        >
          {SCOPES.map((scope) => (
            <option key={scope}>{scope}</option>
          ))}
        </select>
        {message('scope')}
      </td>
      <td className="env-remove">
        {!isBlank(row) && (
          <button type="button" className="button button-quiet" aria-label={`Remove ${name}`} onClick={onRemove}>
            Remove
          </button>
        )}
      </td>
    </tr>
  )
}

function linesShown(value: string): number {
  return Math.min(value.split('\n').length, 6)
}
