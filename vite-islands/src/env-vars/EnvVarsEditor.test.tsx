import { cleanup, render, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test, vi } from 'vitest'
import type { EnvVars } from '../api/env'
import { EnvVarsEditor } from './EnvVarsEditor'

const SAVED: EnvVars = {
  version: 3,
  vars: [
    { key: 'GREETING', value: 'hello', secret: false, scope: 'run' },
    { key: 'TOKEN', value: null, secret: true, scope: 'both' },
  ],
}

function open(saved = SAVED, live = true) {
  render(<EnvVarsEditor app="web" saved={saved} live={live} />)
  return userEvent.setup()
}

function serve(status: number, body: unknown) {
  const fetch = vi.fn(async (_path: string, _init: { body: string }) => new Response(JSON.stringify(body), { status }))
  vi.stubGlobal('fetch', fetch)
  return { fetch, sent: () => JSON.parse(fetch.mock.calls.at(-1)?.[1].body ?? 'null') }
}

const key = (row: number) => screen.getByRole<HTMLInputElement>('textbox', { name: `Key, row ${row}` })
const value = (row: number) => screen.getByRole<HTMLTextAreaElement>('textbox', { name: `Value, row ${row}` })
const secret = (row: number) => screen.getByRole<HTMLInputElement>('checkbox', { name: `Secret, row ${row}` })
const scope = (row: number) => screen.getByRole<HTMLSelectElement>('combobox', { name: `Used at, row ${row}` })
const save = () => screen.getByRole<HTMLButtonElement>('button', { name: 'Save' })
const status = () => screen.getByRole('status').textContent
const lines = () => within(screen.getByRole('table')).getAllByRole('row').length - 1
const errorOf = (field: HTMLElement) => {
  if (field.getAttribute('aria-invalid') !== 'true') return null
  return document.getElementById(field.getAttribute('aria-describedby') ?? '')?.textContent
}

test('shows a row for each variable and a blank one', () => {
  open()
  expect(lines()).toBe(3)
  expect([key(1).value, value(1).value, secret(1).checked, scope(1).value]).toEqual(['GREETING', 'hello', false, 'run'])
  expect([key(2).value, secret(2).checked, scope(2).value]).toEqual(['TOKEN', true, 'both'])
  expect([key(3).value, value(3).value]).toEqual(['', ''])
  expect(screen.queryByRole('button', { name: /Remove row/ })).toBeNull()
})

test('Save is there to press only while something differs from what is stored', async () => {
  const user = open()
  expect(save().disabled).toBe(true)
  await user.type(value(1), '!')
  expect(save().disabled).toBe(false)
  await user.type(value(1), '{Backspace}')
  expect(save().disabled).toBe(true)
  await user.selectOptions(scope(1), 'build')
  expect(save().disabled).toBe(false)
})

test('leaving the page with unsaved edits asks first', async () => {
  const leave = () => window.dispatchEvent(new Event('beforeunload', { cancelable: true }))
  const user = open()
  expect(leave()).toBe(true)
  await user.type(value(1), '!')
  expect(leave()).toBe(false)
})

test('Save and apply now leads to the deployment, once saved and only then', async () => {
  const submit = vi.spyOn(HTMLFormElement.prototype, 'submit').mockImplementation(() => {})
  const leads = () => document.querySelector<HTMLFormElement>('body > form')?.getAttribute('action')
  const apply = () => screen.getByRole<HTMLButtonElement>('button', { name: 'Save and apply now' })
  const user = open()
  expect(apply().disabled).toBe(true)
  await user.type(value(1), '!')
  const { fetch } = serve(422, { title: 'Invalid', status: 422, detail: '', errors: [] })
  await user.click(apply())
  await waitFor(() => expect(fetch).toHaveBeenCalledOnce())
  expect(submit).not.toHaveBeenCalled()
  serve(200, { ...SAVED, version: 4 })
  await user.click(apply())
  await waitFor(() => expect(submit).toHaveBeenCalledOnce())
  expect(leads()).toBe('/apps/web/apply')
  expect(window.dispatchEvent(new Event('beforeunload', { cancelable: true }))).toBe(true)
  document.querySelector('body > form')?.remove()
  submit.mockRestore()
})

test('what was saved first can be applied then; without anything live there is nothing to apply to', async () => {
  const submit = vi.spyOn(HTMLFormElement.prototype, 'submit').mockImplementation(() => {})
  const user = open()
  await user.type(value(1), '!')
  serve(200, { ...SAVED, version: 4 })
  await user.click(save())
  await waitFor(() => expect(status()).toBe('Saved. Not live yet.'))
  await user.click(screen.getByRole('button', { name: 'Save and apply now' }))
  expect(submit).toHaveBeenCalledOnce()
  document.querySelector('body > form')?.remove()
  submit.mockRestore()
  cleanup()
  open(SAVED, false)
  expect(screen.queryByRole('button', { name: 'Save and apply now' })).toBeNull()
})

test('saves all rows with the version, then starts from the answer', async () => {
  const { fetch, sent } = serve(200, {
    version: 4,
    vars: [{ key: 'B', value: null, secret: true, scope: 'run' }, ...SAVED.vars],
  })
  const user = open()
  await user.type(key(3), 'B')
  await user.type(value(3), 'one{Enter}two')
  await user.click(secret(3))
  await user.click(save())
  await waitFor(() => expect(status()).toBe('Saved. Not live yet.'))
  expect(fetch.mock.calls[0]?.[0]).toBe('/api/v1/apps/web/env')
  expect(sent()).toEqual({ version: 3, vars: [...SAVED.vars, { key: 'B', value: 'one\ntwo', secret: true, scope: 'run' }] })
  expect(key(1).value).toBe('B')
  expect(screen.getByRole('button', { name: 'Replace the value of B' })).toBeTruthy()
  expect(lines()).toBe(4)
  expect(save().disabled).toBe(true)
  expect(document.activeElement).toBe(screen.getByRole('status'))

  await user.type(value(2), '!')
  await user.click(save())
  expect(sent().version).toBe(4)
})

test('a textarea grows with its lines up to six', async () => {
  const user = open()
  expect(value(3).rows).toBe(1)
  await user.type(value(3), 'a{Enter}b{Enter}c')
  expect(value(3).rows).toBe(3)
  await user.type(value(3), '{Enter}'.repeat(7))
  expect(value(3).rows).toBe(6)
})

test('an added row has the keyboard; removing one hands it to the next', async () => {
  const user = open()
  await user.click(screen.getByRole('button', { name: 'Add a row' }))
  expect(document.activeElement).toBe(key(4))
  await user.click(screen.getByRole('button', { name: 'Remove GREETING' }))
  expect(key(1).value).toBe('TOKEN')
  expect(document.activeElement).toBe(key(1))
  expect(status()).toContain('GREETING removed')
  expect(save().disabled).toBe(false)
})

test('a removed variable is not sent', async () => {
  const { sent } = serve(200, { version: 4, vars: SAVED.vars.slice(1) })
  const user = open()
  await user.click(screen.getByRole('button', { name: 'Remove GREETING' }))
  await user.click(save())
  expect(sent().vars).toEqual(SAVED.vars.slice(1))
})

test('a stored secret is kept, never shown, and stays a secret', async () => {
  const { sent } = serve(200, SAVED)
  const user = open()
  expect(screen.getByText('kept')).toBeTruthy()
  expect(screen.queryByRole('textbox', { name: 'Value, row 2' })).toBeNull()
  expect(secret(2).disabled).toBe(true)
  await user.type(value(1), '!')
  await user.click(save())
  expect(sent().vars[1]).toEqual({ key: 'TOKEN', value: null, secret: true, scope: 'both' })
})

test('a stored secret is replaced on request, and the old one can come back', async () => {
  const { sent } = serve(200, SAVED)
  const user = open()
  const replace = () => user.click(screen.getByRole('button', { name: 'Replace the value of TOKEN' }))
  await replace()
  expect(document.activeElement).toBe(value(2))
  await user.click(screen.getByRole('button', { name: 'Keep the stored value of TOKEN' }))
  expect(save().disabled).toBe(true)
  await replace()
  await user.type(value(2), 'new')
  await user.click(save())
  expect(sent().vars[1].value).toBe('new')
})

test('a wrong key is told at its field once it is left', async () => {
  const user = open()
  await user.type(key(3), '2X')
  expect(errorOf(key(3))).toBeNull()
  await user.tab()
  expect(errorOf(key(3))).toBe('Use letters, digits and _, not beginning with a digit, 255 characters at most.')
})

test('a duplicate is told at the second row, and is not sent', async () => {
  const { fetch } = serve(200, SAVED)
  const user = open()
  await user.type(key(3), 'GREETING{Enter}')
  expect(errorOf(key(3))).toBe('GREETING is already in row 1.')
  expect(errorOf(key(1))).toBeNull()
  expect(status()).toBe('One line to put right; nothing was saved.')
  expect(document.activeElement).toBe(key(3))
  expect(fetch).not.toHaveBeenCalled()
  await user.type(key(3), '_2')
  expect(errorOf(key(3))).toBeNull()
})

test('errors of the server stand at their rows until these are edited', async () => {
  serve(422, {
    title: 'Not valid',
    errors: [
      { field: 'vars[2].key', message: 'TAKEN is taken.' },
      { field: 'vars', message: 'Too many in all.' },
    ],
  })
  const user = open()
  await user.click(screen.getByRole('button', { name: 'Add a row' }))
  await user.type(key(4), 'TAKEN') // row 3 stays blank and is not sent
  await user.click(save())
  await waitFor(() => expect(errorOf(key(4))).toBe('TAKEN is taken.'))
  expect(document.activeElement).toBe(key(4))
  expect(screen.getByRole('alert').textContent).toContain('Too many in all.')
  expect(status()).toContain('Nothing was saved')
  await user.type(value(4), 'x')
  expect(errorOf(key(4))).not.toBeNull()
  await user.type(key(4), 'S')
  expect(errorOf(key(4))).toBeNull()
})

test.each([
  [401, { title: 'Not signed in' }, 'Sign in in another tab'],
  [503, { title: 'Not now', detail: 'The database is being restored.' }, 'The database is being restored.'],
])('%i is shown in words and loses nothing', async (code, body, words) => {
  serve(code, body)
  const user = open()
  await user.type(value(1), '!')
  await user.click(save())
  const alert = await screen.findByRole('alert')
  expect(alert.textContent).toContain(body.title)
  expect(alert.textContent).toContain(words)
  expect(value(1).value).toBe('hello!')
  serve(200, SAVED)
  await user.click(save())
  await waitFor(() => expect(screen.queryByRole('alert')).toBeNull())
})

test('what is typed while a save is under way stays, and is still to be saved', async () => {
  let answer: (response: Response) => void = () => {}
  vi.stubGlobal('fetch', vi.fn(() => new Promise<Response>((resolve) => (answer = resolve))))
  const user = open()
  await user.type(value(1), '!')
  await user.click(save())
  await user.type(value(1), '?')
  await user.click(save()) // a second press while saving does nothing
  expect(fetch).toHaveBeenCalledTimes(1)
  answer(Response.json({ version: 4, vars: [{ ...SAVED.vars[0], value: 'hello!' }, SAVED.vars[1]] }))
  await waitFor(() => expect(status()).toBe('Saved, but for what you typed since.'))
  expect(value(1).value).toBe('hello!?')
  expect(save().disabled).toBe(false)
})
