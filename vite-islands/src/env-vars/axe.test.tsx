import { fireEvent, screen } from '@testing-library/react'
import { expect, test } from 'vitest'
import { faults } from '../axe'
import { button, key, open, SAVED, serve, text, value } from './testing'

const cost = { restart: 'Restarts the app.', build: 'Needs a build.', needsBuild: false }

test('the table, with errors, changes and an offer, is usable by everybody', async () => {
  const user = open({ cost })
  expect(await faults()).toEqual([])
  await user.type(key(3), '2X')
  await user.click(value(1))
  await user.paste('x=1\ny=2')
  expect(screen.getByText(/This looks like/)).toBeTruthy()
  expect(key(3).getAttribute('aria-invalid')).toBe('true')
  expect(await faults()).toEqual([])
})

test('the text with mistakes is usable by everybody', async () => {
  const user = open()
  await user.click(button('Text'))
  fireEvent.change(text(), { target: { value: 'nonsense' } })
  expect(await faults()).toEqual([])
})

test('a conflict is usable by everybody', async () => {
  serve([409, { title: 'Conflict' }], [200, { version: 7, vars: [{ ...SAVED.vars[0], value: 'bonjour' }] }])
  const user = open()
  await user.type(value(1), '!')
  await user.click(button('Save'))
  await screen.findByRole('alert')
  expect(await faults()).toEqual([])
})
