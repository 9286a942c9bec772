// The table mode: the plain form's table with a line for each row.

import type { ClipboardEvent } from 'react'
import type { Field, Row, RowErrors } from './rows'
import { VarRow } from './VarRow'

interface Props {
  rows: Row[]
  errorsOf: (row: Row) => Partial<Record<Field, string>>
  onEdit: (row: Row, change: Partial<Row>) => void
  onLeave: (row: Row) => void
  onReplace: (row: Row) => void
  onRemove: (row: Row) => void
  onPaste: (event: ClipboardEvent, row: Row, field: 'key' | 'value') => void
}

export function VarTable({ rows, errorsOf, onEdit, onLeave, onReplace, onRemove, onPaste }: Props) {
  return (
    <table className="table env-table" aria-label="Variables">
      <thead>
        <tr>
          <th scope="col" className="env-key">
            Key
          </th>
          <th scope="col">Value</th>
          <th scope="col" className="env-secret">
            Secret
          </th>
          <th scope="col" className="env-scope">
            Used at
          </th>
          <th scope="col" className="env-remove">
            <span className="visually-hidden">Remove</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row, index) => (
          <VarRow
            key={row.id}
            row={row}
            number={index + 1}
            errors={errorsOf(row)}
            onEdit={(change) => onEdit(row, change)}
            onLeave={() => onLeave(row)}
            onReplace={() => onReplace(row)}
            onRemove={() => onRemove(row)}
            onPaste={(event, field) => onPaste(event, row, field)}
          />
        ))}
      </tbody>
    </table>
  )
}

/** The first field with an error, in the order of the rows. */
export function firstError(rows: Row[], errors: RowErrors, fields: readonly Field[]): { row: Row; field: Field } | null {
  for (const row of rows) {
    const field = fields.find((f) => errors.get(row.id)?.[f])
    if (field) return { row, field }
  }
  return null
}
