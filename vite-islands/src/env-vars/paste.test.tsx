import { screen } from '@testing-library/react'
import { expect, test } from 'vitest'
import { button, key, keys, open, status, value } from './testing'

const FILE = '# production\nexport A=1\nTOKEN="fresh"\nA=2\n'
const PEM = '-----BEGIN X-----\nAAAA+/==\nBBBB==\nCCCC==\n-----END X-----\n'

test.each(['key', 'value'])('a file pasted into the %s of the blank row becomes rows, and is undone', async (field) => {
  const user = open()
  await user.click(field === 'key' ? key(3) : value(3))
  await user.paste(FILE)
  expect(keys()).toEqual(['GREETING', 'TOKEN', 'A', ''])
  expect([value(2).value, value(3).value]).toEqual(['fresh', '2'])
  expect(status()).toBe('2 variables pasted: 1 new, 1 replaced. Ctrl+Z undoes it.')
  expect(screen.getByRole('alert').textContent).toContain('Line 4: A is set again here')
  expect(document.activeElement).toBe(key(3))
  await user.keyboard('{Control>}z{/Control}')
  expect(keys()).toEqual(['GREETING', 'TOKEN', ''])
  expect(button('Save').disabled).toBe(true)
  expect(screen.queryByRole('alert')).toBeNull()
})

test('a file pasted where no field is becomes rows too', async () => {
  const user = open()
  await user.paste(FILE)
  expect(keys()).toEqual(['GREETING', 'TOKEN', 'A', ''])
})

test('one line is taken apart in a name, and stays as it is in a value', async () => {
  const user = open()
  await user.click(key(3))
  await user.paste('URL=postgres://a:b@c/d?e=f')
  expect([key(3).value, value(3).value]).toEqual(['URL', 'postgres://a:b@c/d?e=f'])
  await user.click(value(4))
  await user.paste('X=1')
  expect(value(4).value).toBe('X=1')
})

test.each([PEM, 'a\nb\nc', '{\n  "a": 1\n}'])('%j in a value stays the value', async (text) => {
  const user = open()
  await user.click(value(3))
  await user.paste(text)
  expect(value(3).value).toBe(text)
  expect(keys()).toEqual(['GREETING', 'TOKEN', ''])
  expect(screen.queryByText(/This looks like/)).toBeNull()
})

test('what looks like a file in the value of a variable is an offer', async () => {
  const user = open()
  await user.clear(value(1))
  await user.paste('x=1\ny=2')
  expect(value(1).value).toBe('x=1\ny=2')
  await user.click(button('Make rows of them'))
  expect(keys()).toEqual(['GREETING', 'TOKEN', 'x', 'y', ''])
  expect(value(1).value).toBe('')
  await user.keyboard('{Control>}z{/Control}')
  expect(value(1).value).toBe('x=1\ny=2')
})

test('a file that cannot be read changes nothing and says why', async () => {
  const user = open()
  await user.click(key(3))
  await user.paste(`A=1\nKEY=${PEM}`)
  expect(keys()).toEqual(['GREETING', 'TOKEN', ''])
  expect(screen.getByRole('alert').textContent).toContain('Line 2: The value of KEY goes on in the next lines.')
})
