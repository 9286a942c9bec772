import { fireEvent, screen, waitFor } from '@testing-library/react'
import { expect, test } from 'vitest'
import { button, key, keys, open, SAVED, serve, status, text, value } from './testing'

const type = (words: string) => fireEvent.change(text(), { target: { value: words } })

test('the text holds what can be known; stored secrets are named beneath and stay', async () => {
  const { sent } = serve([200, SAVED])
  const user = open()
  await user.click(button('Text'))
  expect(text().value).toBe('GREETING=hello\n')
  expect(screen.getByText('TOKEN').tagName).toBe('CODE')
  type('# mine\nGREETING="a\nb"\nNEW=1\n')
  await user.click(button('Save'))
  expect(sent().vars).toEqual([
    { ...SAVED.vars[0], value: 'a\nb' },
    SAVED.vars[1],
    { key: 'NEW', value: '1', secret: false, scope: 'run' },
  ])
})

test('how a known name is kept stays, also through texts without it; a line replaces a secret', async () => {
  const { sent } = serve([200, SAVED])
  const user = open({ saved: { version: 1, vars: [{ key: 'A', value: '1', secret: false, scope: 'build' }, SAVED.vars[1]!] } })
  await user.click(button('Text'))
  type('AB=1\n')
  type('A=2\nTOKEN=fresh\n')
  await user.click(button('Save'))
  expect(sent().vars).toEqual([
    { key: 'A', value: '2', secret: false, scope: 'build' },
    { key: 'TOKEN', value: 'fresh', secret: true, scope: 'both' },
  ])
})

test('after a save a secret is out of the text again', async () => {
  serve([200, { ...SAVED, version: 4 }])
  const user = open()
  await user.click(button('Text'))
  type('GREETING=hello\nTOKEN=fresh\n')
  await user.click(button('Save'))
  await waitFor(() => expect(status()).toBe('Saved. Not live yet.'))
  expect(text().value).toBe('GREETING=hello\n')
  expect(button('Undo').getAttribute('aria-disabled')).toBe('true')
})

test('a text that cannot be read is told by line, is not saved, and does not become a table', async () => {
  const { fetch } = serve([200, SAVED])
  const user = open()
  await user.click(button('Text'))
  type('GREETING=hello\nnonsense\n')
  expect(text().getAttribute('aria-invalid')).toBe('true')
  expect(screen.getByText(/This is no NAME=value/).textContent).toContain('Line 2')
  await user.click(button('Line 2'))
  expect([text().selectionStart, text().selectionEnd]).toEqual([15, 23])
  await user.click(button('Table'))
  expect(text().value).toContain('nonsense')
  expect(document.activeElement).toBe(text())
  await user.click(button('Save'))
  expect(fetch).not.toHaveBeenCalled()
  expect(status()).toBe('One line to put right; nothing was saved.')
  type('GREETING=x\n')
  await user.click(button('Table'))
  expect(value(1).value).toBe('x')
  expect(keys()).toEqual(['GREETING', 'TOKEN', ''])
})

test('a name that is there twice is one row, with a warning', async () => {
  const user = open()
  await user.click(button('Text'))
  type('A=9\nA=10\n')
  expect(screen.getByText(/A is set again here/).textContent).toContain('Line 2')
  await user.click(button('Table'))
  expect(keys()).toEqual(['TOKEN', 'A', ''])
})

test('looking at the text and back changes nothing, whatever the values hold', async () => {
  const odd = ' pa$$word # "kept"\r\n\\n\ttail '
  const user = open({ saved: { version: 1, vars: [{ key: 'A', value: odd, secret: false, scope: 'run' }] } })
  await user.click(button('Text'))
  type(`${text().value}B=1\n`)
  type(text().value.replace('B=1\n', ''))
  expect(button('Save').disabled).toBe(true)
  await user.click(button('Table'))
  expect(button('Save').disabled).toBe(true)
  await user.type(key(2), '2X')
  await user.click(button('Text'))
  await user.click(button('Table'))
  expect(keys()).toEqual(['A', '2X', ''])
})

test('what Dhow refuses stands by its name in the text mode', async () => {
  serve([422, { title: 'Not valid', status: 422, errors: [{ field: 'vars[0].value', message: 'Too long.' }] }])
  const user = open()
  await user.click(button('Text'))
  type('GREETING=x\n')
  await user.click(button('Save'))
  await screen.findByText('GREETING: Too long.')
  expect(document.activeElement).toBe(text())
})

test('removals, typing and switches are undone and done again by the keyboard', async () => {
  const user = open()
  await user.click(button('Remove GREETING'))
  await user.keyboard('{Control>}z{/Control}')
  expect(keys()).toEqual(['GREETING', 'TOKEN', ''])
  expect(document.activeElement).toBe(key(1))
  expect(status()).toBe('Undone.')
  expect(button('Save').disabled).toBe(true)
  await user.keyboard('{Control>}{Shift>}z{/Shift}{/Control}')
  expect(keys()).toEqual(['TOKEN', ''])
  await user.click(button('Undo'))
  await user.type(value(1), ', world')
  expect(value(1).value).toBe('hello, world')
  await user.click(button('Text'))
  await user.click(button('Undo'))
  expect(text().value).toBe('GREETING=hello\n')
  await user.click(button('Undo'))
  await user.click(button('Undo'))
  expect(document.activeElement).toBe(button('Undo'))
  await user.click(button('Redo'))
  expect(text().value).not.toBe('')
})

test('values are hidden and shown', async () => {
  const user = open()
  await user.click(button('Hide values'))
  expect(button('Hide values').getAttribute('aria-pressed')).toBe('true')
  expect(value(1).closest('form')?.className).toContain('hides-values')
})

test('what saving would change, and what applying costs, is told before', async () => {
  const cost = { restart: 'Restarts the app.', build: 'Needs a build.', needsBuild: false }
  const user = open({ cost })
  expect(screen.queryByText(/Not saved yet/)).toBeNull()
  await user.type(value(1), '!')
  expect(screen.getByText(/Not saved yet/).parentElement?.textContent).toBe('Not saved yet: GREETING (value)')
  expect(screen.getByText('Applying: Restarts the app.')).toBeTruthy()
  await user.click(button('Remove TOKEN'))
  expect(screen.getByText(/Not saved yet/).parentElement?.textContent).toBe('Not saved yet: GREETING (value), TOKEN (removed)')
  expect(screen.getByText('Applying: Needs a build.')).toBeTruthy()
})

test("the project's variables, which the page shows below, are overridden by a row of one's own", async () => {
  const shared = [
    { key: 'REGION', value: 'eu', secret: false, scope: 'run' as const },
    { key: 'GREETING', value: 'hi', secret: false, scope: 'run' as const },
  ]
  const below = document.createElement('div')
  const row = (name: string) => `<tr><td><code>${name}</code></td><td><code>x</code></td><td>run</td></tr>`
  below.innerHTML = `<table aria-label="Variables from the project"><tbody>${row('REGION')}${row('GREETING')}</tbody></table>`
  document.body.append(below)
  const user = open({ shared })
  expect(screen.queryByRole('button', { name: 'Override GREETING' })).toBeNull()
  await user.click(button('Override REGION'))
  expect(keys()).toEqual(['GREETING', 'TOKEN', 'REGION', ''])
  expect(value(3).value).toBe('eu')
  expect(document.activeElement).toBe(value(3))
  expect(screen.queryByRole('button', { name: 'Override REGION' })).toBeNull()
})
