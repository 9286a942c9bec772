import { act, screen } from '@testing-library/react'
import { beforeEach, expect, test, vi } from 'vitest'

// The plain form as Dhow renders it: two variables, one of them a secret, and a blank row.
const ROW = (i: number, key: string, value: string, secret: boolean) => `
  <tr>
    <td><input name="key" value="${key}"></td>
    <td><textarea name="value">\n${value}</textarea></td>
    <td><input type="checkbox" name="secret" value="${i}" ${secret ? 'checked' : ''}></td>
    <td><select name="scope"><option value="run" selected>run</option><option value="build">build</option><option value="both">both</option></select></td>
    <td><input type="checkbox" name="remove" value="${i}"></td>
  </tr>`
const VARS = [
  { key: 'A', value: 'one\r\ntwo', secret: false, scope: 'run' },
  { key: 'S', value: null, secret: true, scope: 'run' },
]

beforeEach(() => {
  vi.resetModules()
  const place = document.createElement('div')
  place.dataset.island = 'env-vars'
  place.dataset.props = JSON.stringify({ app: 'web', version: 1, vars: VARS })
  place.innerHTML = `<form><table><tbody>${ROW(0, 'A', 'one\r\ntwo', false)}${ROW(1, 'S', '', true)}${ROW(2, '', '', false)}</tbody></table></form>`
  document.body.append(place)
})

const all = <E extends HTMLElement>(name: string) => [...document.querySelectorAll<E & { value: string }>(`[name="${name}"]`)]
const mount = () => act(async () => void (await import('./main')))
const save = () => screen.getByRole<HTMLButtonElement>('button', { name: 'Save' })

test('takes over an untouched form: same rows, nothing to save', async () => {
  await mount()
  expect(all('key').map((e) => e.value)).toEqual(['A', 'S', ''])
  expect(screen.getByText('kept')).toBeTruthy()
  expect(save().disabled).toBe(true)
})

test('keeps what was typed before the script arrived, and the keyboard where it was', async () => {
  const typed = all<HTMLTextAreaElement>('value')[2]
  all('key')[2]!.value = 'NEW'
  typed!.value = 'early'
  typed!.focus()
  typed!.setSelectionRange(2, 2)
  all<HTMLInputElement>('remove')[0]!.checked = true
  await mount()
  expect(all('key').map((e) => e.value)).toEqual(['S', 'NEW'])
  expect(all('value').map((e) => e.value)).toEqual(['early'])
  expect(document.activeElement).toBe(all('value')[0])
  expect(all<HTMLTextAreaElement>('value')[0]!.selectionStart).toBe(2)
  expect(save().disabled).toBe(false)
})
