import { screen, waitFor, within } from '@testing-library/react'
import { expect, test } from 'vitest'
import type { EnvVar } from '../api/env'
import { merge } from './changes'
import { button, keys, open, SAVED, serve, status, value } from './testing'

const plain = (key: string, value: string): EnvVar => ({ key, value, secret: false, scope: 'run' })
const THEIRS = { version: 7, vars: [plain('GREETING', 'bonjour'), plain('NEW', '1'), SAVED.vars[1]!] }

async function conflict() {
  const server = serve([409, { title: 'Conflict', status: 409 }], [200, THEIRS], [200, { ...THEIRS, version: 8 }])
  const user = open()
  await user.type(value(1), ' world')
  await user.click(button('Save'))
  return { user, server, alert: await screen.findByRole('alert') }
}

test('somebody else saved: both sides are shown, and going on keeps what was chosen', async () => {
  const { user, server, alert } = await conflict()
  expect(alert.textContent).toContain('nothing of yours was saved')
  expect(alert.textContent).toContain('Theirs, and kept: NEW (new)')
  expect(within(alert).getByRole<HTMLInputElement>('radio', { name: 'Yours: hello world' }).checked).toBe(true)
  expect(within(alert).getByRole('radio', { name: 'Theirs: bonjour' })).toBeTruthy()
  expect(document.activeElement).toBe(alert)
  expect(value(1).value).toBe('hello world')
  await user.click(button('Go on with both'))
  expect(screen.queryByRole('alert')).toBeNull()
  expect(keys()).toEqual(['GREETING', 'TOKEN', 'NEW', ''])
  await user.click(button('Save'))
  expect(server.sent()).toEqual({ version: 7, vars: [plain('GREETING', 'hello world'), SAVED.vars[1], plain('NEW', '1')] })
})

test('theirs can be chosen for one, or alone; that is undone too', async () => {
  const { user, alert } = await conflict()
  await user.click(within(alert).getByRole('radio', { name: 'Theirs: bonjour' }))
  await user.click(button('Go on with both'))
  expect(value(1).value).toBe('bonjour')
  expect(button('Save').disabled).toBe(true)
  await user.click(button('Undo'))
  expect(value(1).value).toBe('hello world')
  expect(screen.getByText(/Not saved yet/).parentElement?.textContent).toContain('NEW (removed)')
})

test('theirs alone', async () => {
  const { user } = await conflict()
  await user.click(button('Show theirs alone'))
  expect(value(1).value).toBe('bonjour')
  await waitFor(() => expect(document.activeElement?.getAttribute('role')).toBe('status'))
  expect(status()).toBe('As they saved it. Ctrl+Z brings yours back.')
})

test('what only one of two changed is no clash; a secret of which nobody can tell is', () => {
  const secret: EnvVar = { key: 'S', value: null, secret: true, scope: 'run' }
  const base = [plain('A', '1'), plain('B', '1'), plain('C', '1'), secret]
  const mine = [plain('A', '2'), plain('C', '1'), { ...secret, value: 'fresh' }]
  const theirs = [plain('A', '1'), plain('B', '1'), plain('D', '1'), secret]
  const both = merge(base, mine, theirs)
  expect(both.clashes.map(({ key }) => key)).toEqual(['S'])
  expect(both.theirs.map(({ key, kind }) => [key, kind])).toEqual([
    ['C', 'removed'],
    ['D', 'new'],
  ])
  expect(both.merged(() => false)).toEqual([plain('A', '2'), { ...secret, value: 'fresh' }, plain('D', '1')])
  expect(both.merged(() => true)).toEqual([plain('A', '2'), secret, plain('D', '1')])
})

test('a removal and a change of the same one clash', () => {
  const both = merge([plain('A', '1')], [], [plain('A', '2')])
  expect(both.clashes).toEqual([{ key: 'A', mine: undefined, theirs: plain('A', '2') }])
  expect(both.merged(() => true)).toEqual([plain('A', '2')])
  expect(both.merged(() => false)).toEqual([])
})
