// Entry of static/islands/env-vars.js: the editor in the place of the plain form of /apps/{app}/env.

import { isRecord } from '../api/client'
import { parseEnvVars } from '../api/env'
import { mountAll } from '../mount/mount'
import { EnvVarsEditor } from './EnvVarsEditor'
import { readPlainForm } from './plainForm'

mountAll('env-vars', (props, place) => {
  const saved = parseEnvVars(props)
  if (!saved || !isRecord(props) || typeof props.app !== 'string') return null
  return <EnvVarsEditor app={props.app} saved={saved} live={props.live === true} taken={readPlainForm(place, saved.vars)} />
})
