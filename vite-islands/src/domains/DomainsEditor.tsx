// The domains of an app: shown as they are served, put in order, added, changed and removed, all at once.

import { useId, useState } from 'react'
import type { Problem } from '../api/client'
import { addressOf, type Domain, type Domains } from '../api/domains'
import { type Caret, useFocusNext } from '../parts/focus'
import { Refusal } from '../parts/Refusal'
import { DomainForm } from './DomainForm'
import { buttonId, DomainTable, isUnsettled } from './DomainTable'
import type { Draft } from './draft'
import { type Outcome, useDomains } from './useDomains'
import { usePolling } from './usePolling'

interface Props {
  app: string
  initial: Domains
  /** Whether certificates come by themselves. */
  hasAcme: boolean
  /** Where the app is served while it has no domain. */
  defaultAddresses?: string[]
  links?: ReadonlyMap<string, string>
  /** What was in the plain form's fields. */
  typed?: Draft | null
  focus?: Caret | null
}

export function DomainsEditor({ app, initial, hasAcme, defaultAddresses = [], links = new Map(), typed, focus = null }: Props) {
  const stored = useDomains(app, initial)
  const { items } = stored.domains
  /** The domain that is changed, as it was then. */
  const [edited, setEdited] = useState<Domain | null>(null)
  const [status, setStatus] = useState('')
  const [problem, setProblem] = useState<Problem | null>(null)
  const focusOn = useFocusNext(focus)
  const statusId = useId()
  const polling = usePolling(items.some(isUnsettled), async () => void (await stored.reload()))
  const editedNow = edited && (items.find((item) => addressOf(item) === addressOf(edited)) ?? null)

  function tell(outcome: Outcome, done: string) {
    const stale = 'Somebody else changed the domains meanwhile. Theirs are shown; nothing was done.'
    setProblem(outcome.kind === 'refused' ? outcome.problem : null)
    setStatus(outcome.kind === 'done' ? done : outcome.kind === 'stale' ? stale : '')
  }

  async function moveUp(domain: Domain) {
    const address = addressOf(domain)
    const place = items.indexOf(domain)
    const outcome = await stored.change(domain, { position: place })
    tell(outcome, place === 1 ? `${address} is first, and the app's address.` : `${address} is number ${place} now.`)
    focusOn(buttonId(place === 1 ? 'edit' : 'move', address))
  }

  async function remove(domain: Domain) {
    const at = items.indexOf(domain)
    const outcome = await stored.remove(domain)
    tell(outcome, `${addressOf(domain)} was removed.`)
    const next = items[at + 1] ?? items[at - 1]
    focusOn(outcome.kind === 'done' && next ? buttonId('remove', addressOf(next)) : statusId)
  }

  function finish(address: string) {
    setEdited(null)
    focusOn(buttonId('edit', address))
  }

  return (
    <>
      {items.length > 0 ? (
        <DomainTable
          items={items}
          links={links}
          onCheck={polling.isOver ? polling.again : null}
          onEdit={(domain) => {
            setEdited(domain)
            setStatus('')
            focusOn('edit-host')
          }}
          onMove={(domain) => void moveUp(domain)}
          onRemove={(domain) => void remove(domain)}
        />
      ) : (
        <p>
          This app is served at{' '}
          {defaultAddresses.map((address) => (
            <code key={address}>{address}</code>
          ))}
          . That address is used until it has a domain of its own.
        </p>
      )}
      {problem && <Refusal problem={problem} />}
      {edited && (
        <DomainForm
          key={addressOf(edited)}
          id="edit"
          edited={edited}
          stored={editedNow}
          others={items.filter((item) => item !== editedNow)}
          hasAcme={hasAcme}
          onSave={(body, isAdded) => (isAdded ? stored.add(body) : stored.change(edited, body))}
          onDone={(address) => {
            finish(address)
            setStatus(`${address} is saved.`)
          }}
          onCancel={() => finish(addressOf(edited))}
        />
      )}
      <DomainForm
        id="add"
        edited={null}
        stored={null}
        others={items}
        hasAcme={hasAcme}
        first={typed ?? null}
        isHidden={edited !== null}
        onSave={(body) => stored.add(body)}
        onDone={(address) => {
          setStatus(`${address} was added.`)
          focusOn(statusId)
        }}
      />
      <p className="help" role="status" id={statusId} tabIndex={-1}>
        {status || (polling.isOver ? 'Not looked at any more: nothing has changed for some minutes.' : '')}
      </p>
    </>
  )
}
