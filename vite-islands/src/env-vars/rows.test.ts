import { expect, test } from 'vitest'
import type { EnvVar } from '../api/env'
import { blankRow, check, forget, isChanged, placeErrors, type Row, rowFrom, toVars } from './rows'

const plain: EnvVar = { key: 'A', value: 'x', secret: false, scope: 'run' }
const secret: EnvVar = { key: 'S', value: null, secret: true, scope: 'run' }
const row = (change: Partial<Row>): Row => ({ ...blankRow(), ...change })

test('sends values byte for byte and leaves blank rows out', () => {
  const value = ' pa$$word # "kept"\r\n\\n\ttail '
  expect(toVars([row({ key: 'A', value }), blankRow(), rowFrom(secret)])).toEqual([{ ...plain, value }, secret])
})

test('a blank row and the order change nothing; scope, a repeated key and a replaced secret do', () => {
  const saved = [plain, secret]
  const rows = saved.map(rowFrom)
  expect(isChanged([...rows, blankRow()], saved)).toBe(false)
  expect(isChanged([...rows].reverse(), saved)).toBe(false)
  expect(isChanged([rowFrom(plain), rowFrom(plain)], saved)).toBe(true)
  expect(isChanged(rows.slice(1), saved)).toBe(true)
  expect(isChanged([rowFrom({ ...plain, scope: 'both' }), rowFrom(secret)], saved)).toBe(true)
  expect(isChanged([rowFrom(plain), { ...rowFrom(secret), value: '' }], saved)).toBe(true)
})

test.each(['2X', 'A-B', 'A B', ' A', 'É', 'A.B', '-'])('the key %j is refused', (key) => {
  const bad = row({ key, value: '1' })
  expect(check([bad]).get(bad.id)?.key).toMatch(/letters, digits and _/)
})

test('names that Dhow sets and values that no system takes are told', () => {
  const bad = [row({ key: 'PORT', value: '1' }), row({ key: 'DHOW_APP' }), row({ key: 'LONG', value: 'x'.repeat(131_000) })]
  const errors = check(bad)
  expect(errors.get(bad[0]!.id)?.key).toMatch(/set by Dhow itself/)
  expect(errors.get(bad[1]!.id)?.key).toMatch(/set by Dhow itself/)
  expect(errors.get(bad[2]!.id)?.value).toBe('It has 131000 bytes; the system starts no program with more than 130815 in one variable.')
})

test.each(['A', '_', 'a1_B', '__2'])('the key %j is fine', (key) => {
  expect(check([row({ key })]).size).toBe(0)
})

test('a repeated key is told at the later row and names the earlier one; case counts', () => {
  const [first, other, again] = [row({ key: 'A' }), row({ key: 'a' }), row({ key: 'A' })]
  const errors = check([blankRow(), first, other, again])
  expect([...errors.keys()]).toEqual([again.id])
  expect(errors.get(again.id)?.key).toBe('A is already in row 2.')
})

test('a value without a key, and a kept secret under a new key, are told', () => {
  const keyless = row({ value: 'x' })
  const renamed = { ...rowFrom(secret), key: 'T' }
  const errors = check([keyless, renamed])
  expect(errors.get(keyless.id)?.key).toMatch(/no key/)
  expect(errors.get(renamed.id)?.value).toMatch(/Kept under S only/)
})

test('a secret that was to be replaced or overridden and has no value is told; a plain empty value is fine', () => {
  const replaced = { ...rowFrom(secret), value: '' }
  const overridden = row({ key: 'T', secret: true })
  const errors = check([replaced, overridden, row({ key: 'EMPTY' }), { ...rowFrom(plain), value: '' }])
  expect([...errors.keys()]).toEqual([replaced.id, overridden.id])
  expect(errors.get(replaced.id)?.value).toBe('Type the value, or choose Keep.')
  expect(errors.get(overridden.id)?.value).toMatch(/^Type the value/)
})

test('errors of the server land at the rows that were sent', () => {
  const sent = [row({ key: 'A' }), row({ key: 'B' })]
  const placed = placeErrors(sent, [
    { field: 'vars[1].key', message: 'reserved' },
    { field: 'vars[1].value', message: 'too long' },
    { field: 'vars[0]', message: 'odd' },
    { field: 'vars[9].key', message: 'where' },
    { field: 'version', message: 'not a number' },
  ])
  expect(placed.rows.get(sent[0]!.id)).toEqual({ key: 'odd' })
  expect(placed.rows.get(sent[1]!.id)).toEqual({ key: 'reserved', value: 'too long' })
  expect(placed.rest).toEqual(['where', 'not a number'])
  expect(forget(placed.rows, sent[1]!.id, ['key']).get(sent[1]!.id)).toEqual({ value: 'too long' })
})
