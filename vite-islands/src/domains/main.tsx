// Entry of static/islands/domains.js: the editor in the place of the plain forms of /apps/{app}/domains.

import { isRecord } from '../api/client'
import { parseDomains } from '../api/domains'
import { LEAVE, mountAll } from '../mount/mount'
import { DomainsEditor } from './DomainsEditor'
import { readPlainPage } from './plainForm'

mountAll('domains', (props, place) => {
  const initial = parseDomains(props)
  if (!initial || !isRecord(props) || typeof props.app !== 'string') return null
  const taken = readPlainPage(place)
  if (!taken) return LEAVE
  const addresses = Array.isArray(props.default_addresses) ? props.default_addresses.filter((text) => typeof text === 'string') : []
  return (
    <DomainsEditor
      app={props.app}
      initial={initial}
      hasAcme={props.has_acme === true}
      defaultAddresses={addresses}
      links={taken.links}
      typed={taken.draft}
      focus={taken.focus}
    />
  )
})
