// The domains as they are stored, and changes of them. Every change names the version that it is based on, so that
// nobody's is overwritten unseen; after each the list is read again.

import { useRef, useState } from 'react'
import type { Answer, Problem } from '../api/client'
import { addDomain, changeDomain, type Domain, type Domains, listDomains, removeDomain } from '../api/domains'

export type Outcome = { kind: 'done' } | { kind: 'refused'; problem: Problem } | { kind: 'stale' }

export interface StoredDomains {
  domains: Domains
  isBusy: boolean
  /** Null once it went well. */
  reload: () => Promise<Problem | null>
  add: (body: Record<string, unknown>) => Promise<Outcome>
  change: (domain: Domain, body: Record<string, unknown>) => Promise<Outcome>
  remove: (domain: Domain) => Promise<Outcome>
}

export function useDomains(app: string, initial: Domains): StoredDomains {
  const [domains, setDomains] = useState(initial)
  const [isBusy, setBusy] = useState(false)
  const version = useRef(initial.version)

  async function reload(): Promise<Problem | null> {
    const answer = await listDomains(app)
    if (!answer.ok) return answer.problem
    // An answer that was overtaken by a newer one.
    if (answer.domains.version < version.current) return null
    version.current = answer.domains.version
    setDomains(answer.domains)
    return null
  }

  async function run(call: (version: number) => Promise<Answer>): Promise<Outcome> {
    const basedOn = version.current
    setBusy(true)
    const answer = await call(basedOn)
    if (answer.ok || answer.problem.status === 409 || answer.problem.status === 404) await reload()
    setBusy(false)
    if (answer.ok) return { kind: 'done' }
    // A host that is taken is a conflict too, but not one of versions.
    const isStale = answer.problem.status === 404 || (answer.problem.status === 409 && version.current !== basedOn)
    return isStale ? { kind: 'stale' } : { kind: 'refused', problem: answer.problem }
  }

  return {
    domains,
    isBusy,
    reload,
    add: (body) => run((at) => addDomain(app, { ...body, version: at })),
    change: (domain, body) => run((at) => changeDomain(app, domain, { ...body, version: at })),
    remove: (domain) => run((at) => removeDomain(app, domain, at)),
  }
}
