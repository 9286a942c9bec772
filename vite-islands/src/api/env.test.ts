import { expect, test } from 'vitest'
import { parseEnvVars } from './env'

const good = { version: 3, vars: [{ key: 'A', value: 'x', secret: false, scope: 'run' }] }

test('takes what the API promises', () => {
  expect(parseEnvVars({ ...good, app: 'web' })).toEqual(good)
  expect(parseEnvVars({ version: 0, vars: [{ key: 'S', value: null, secret: true, scope: 'both' }] })).not.toBeNull()
})

test.each([
  null,
  [],
  { vars: [] },
  { version: '3', vars: [] },
  { version: 3 },
  { version: 3, vars: [null] },
  { version: 3, vars: [{ key: 'A', value: 1, secret: false, scope: 'run' }] },
  { version: 3, vars: [{ key: 'A', value: '', secret: false, scope: 'never' }] },
])('refuses %j', (raw) => {
  expect(parseEnvVars(raw)).toBeNull()
})
