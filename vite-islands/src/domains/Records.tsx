// The records that have to be made, to be copied one by one.

import { useState } from 'react'
import type { DnsRecord } from '../api/domains'

export function Records({ records }: { records: DnsRecord[] }) {
  return (
    <ul className="records">
      {records.map((record) => (
        <Record key={`${record.type} ${record.name} ${record.value}`} record={record} />
      ))}
    </ul>
  )
}

function Record({ record: { type, name, value } }: { record: DnsRecord }) {
  const [isCopied, setCopied] = useState(false)
  return (
    <li>
      <code>
        {name} {type} <span className="copy">{value}</span>
      </code>
      <button type="button" className="button button-quiet" aria-label={`Copy ${value}`} onClick={() => void copy(value).then(setCopied)}>
        {isCopied ? 'Copied' : 'Copy'}
      </button>
    </li>
  )
}

/** Answers whether it is in the clipboard. Pages over plain http have no Clipboard API. */
async function copy(text: string): Promise<boolean> {
  if (window.isSecureContext && navigator.clipboard) {
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    )
  }
  const field = document.createElement('textarea')
  const focused = document.activeElement
  field.value = text
  field.readOnly = true
  field.className = 'visually-hidden'
  document.body.append(field)
  field.select()
  const isCopied = document.execCommand('copy')
  field.remove()
  if (focused instanceof HTMLElement) focused.focus()
  return isCopied
}
