// The domains as they are served now, with the plain page's markup, and what is to be done about each.

import { useState } from 'react'
import { addressOf, type Domain } from '../api/domains'
import { Records } from './Records'

interface Props {
  items: Domain[]
  /** Where domains are opened, by host, as far as the page knew. */
  links: ReadonlyMap<string, string>
  /** Looks again, once nobody looks any more by itself. */
  onCheck: (() => void) | null
  onEdit: (domain: Domain) => void
  onMove: (domain: Domain) => void
  onRemove: (domain: Domain) => void
}

/** How a domain is served, as a class and a word. */
const STATES: Readonly<Record<string, readonly [string, string]>> = {
  issued: ['ok', 'certificate'],
  custom: ['ok', 'own certificate'],
  pending: ['busy', 'asked for'],
  waiting: ['warn', 'waits for DNS'],
  unknown: ['warn', 'not known'],
  failed: ['bad', 'failed'],
  expired: ['bad', 'expired'],
}

/** Whether something is expected to change by itself. */
export function isUnsettled({ state }: Domain): boolean {
  return state.https === 'waiting' || state.https === 'pending'
}

export function buttonId(what: 'edit' | 'move' | 'remove', address: string): string {
  return `${what} ${address}`
}

export function DomainTable({ items, links, onCheck, onEdit, onMove, onRemove }: Props) {
  const [removed, setRemoved] = useState<string | null>(null)

  const row = (domain: Domain, index: number) => {
    const address = addressOf(domain)
    const link = links.get(domain.host)
    const [look, word] = STATES[domain.state.https] ?? ['idle', 'plain http']
    const button = (what: 'edit' | 'move' | 'remove', words: string, label: string, onClick: () => void) => (
      <button type="button" className="button button-quiet" id={buttonId(what, address)} aria-label={label} onClick={onClick}>
        {words}
      </button>
    )
    return (
      <tr key={address}>
        <td>
          {link === undefined ? <code>{domain.host}</code> : <a className="mono" href={link}>{domain.host}</a>}
          {domain.redirect_to !== null && (
            <p className="help">
              redirects to <code>{domain.redirect_to}</code>
            </p>
          )}
          {notesOf(domain) && <p className="help">{notesOf(domain)}</p>}
        </td>
        <td className="wide" data-label="Path">
          <code>{domain.path_prefix}</code>
        </td>
        <td data-label="HTTPS">
          <div className="domain-state">
            <span className={`status status-${look}`}>{word}</span>
            <p className="help">
              {domain.state.words}
              {domain.state.expiresAt !== null && <Ends at={domain.state.expiresAt} />}
            </p>
            {domain.state.records.length > 0 && <Records records={domain.state.records} />}
            {onCheck && isUnsettled(domain) && (
              <button type="button" className="button" aria-label={`Check ${address} again`} onClick={onCheck}>
                Check again
              </button>
            )}
          </div>
        </td>
        <td className="actions">
          {removed === address ? (
            <span role="group" aria-label={`Remove ${address}`}>
              <button type="button" className="button button-danger" autoFocus onClick={() => onRemove(domain)}>
                Remove it
              </button>{' '}
              <button type="button" className="button button-quiet" onClick={() => setRemoved(null)}>
                Keep it
              </button>
            </span>
          ) : (
            <>
              {button('edit', 'Edit', `Edit ${address}`, () => onEdit(domain))}
              {index > 0 && button('move', 'Move up', `Move ${address} up`, () => onMove(domain))}
              {button('remove', 'Remove', `Remove ${address}`, () => setRemoved(address))}
            </>
          )}
        </td>
      </tr>
    )
  }

  return (
    <section className="card" aria-label="Domains">
      <table className="table" aria-label="Domains">
        <thead>
          <tr>
            <th scope="col">Host</th>
            <th scope="col">Path</th>
            <th scope="col">HTTPS</th>
            <th scope="col">
              <span className="visually-hidden">Change</span>
            </th>
          </tr>
        </thead>
        <tbody>{items.map(row)}</tbody>
      </table>
    </section>
  )
}

function Ends({ at }: { at: string }) {
  const day = new Date(at)
  return (
    <>
      {' '}
      Ends <time dateTime={at}>{Number.isNaN(day.valueOf()) ? at : day.toLocaleDateString(undefined, { dateStyle: 'medium' })}</time>.
    </>
  )
}

/** What is out of the ordinary, in a few words. */
function notesOf({ strip_prefix, basic_auth, allow_ips, hsts, grpc }: Domain): string {
  const notes = [
    strip_prefix && 'path left out',
    basic_auth.length > 0 && 'password',
    allow_ips.length > 0 && (allow_ips.length === 1 ? 'one network only' : `${allow_ips.length} networks only`),
    hsts && 'https only',
    grpc && 'gRPC',
  ]
  return notes.filter((note) => note !== false).join(', ')
}
