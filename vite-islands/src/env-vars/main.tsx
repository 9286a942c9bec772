// Entry of static/islands/env-vars.js: the editor in the place of the plain form of /apps/{app}/env.

import { isRecord } from '../api/client'
import { parseEnvVar, parseEnvVars } from '../api/env'
import { mountAll } from '../mount/mount'
import { type Cost, EnvVarsEditor } from './EnvVarsEditor'
import { refreshPending } from './pendingNotice'
import { readPlainForm } from './plainForm'

mountAll('env-vars', (props, place) => {
  const saved = parseEnvVars(props)
  if (!saved || !isRecord(props) || typeof props.app !== 'string') return null
  return (
    <EnvVarsEditor
      app={props.app}
      saved={saved}
      live={props.live === true}
      cost={parseCost(props.cost)}
      shared={Array.isArray(props.shared) ? props.shared.map(parseEnvVar).filter((v) => v !== null) : []}
      taken={readPlainForm(place, saved.vars)}
      onSaved={() => void refreshPending(place)}
    />
  )
})

function parseCost(raw: unknown): Cost | null {
  if (!isRecord(raw) || typeof raw.restart !== 'string' || typeof raw.build !== 'string') return null
  return { restart: raw.restart, build: raw.build, needsBuild: raw.needs_build === true }
}
