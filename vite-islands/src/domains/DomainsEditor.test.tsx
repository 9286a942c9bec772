import { act, fireEvent, screen, waitFor, within } from '@testing-library/react'
import { afterEach, expect, test, vi } from 'vitest'
import { faults } from '../axe'
import { button, errorOf, field, hosts, LIST, open, raw, serve, status } from './testing'
import { EVERY, FOR_AT_MOST } from './usePolling'

afterEach(() => vi.useRealTimers())

test('domains stand in the order of the app; without any the app has its own address', () => {
  open()
  expect(hosts()).toEqual(['a.example.org', 'b.example.org'])
  document.body.replaceChildren()
  open({ version: 0, items: [] }, { defaultAddresses: ['web.localhost'] })
  expect(screen.getByText('web.localhost')).toBeTruthy()
})

test('a domain is added; a pasted address is taken apart; the form begins anew', async () => {
  const server = serve({ ...LIST, version: 4, items: [...LIST.items, raw('shop.example.org', 3, { path_prefix: '/x' })] }, [201, {}])
  const user = open()
  await user.type(field('Host'), 'https://Shop.example.org/x/')
  expect(screen.getByText('shop.example.org').tagName).toBe('CODE')
  await user.tab()
  expect([field('Host').value, field('Path').value]).toEqual(['shop.example.org', '/x'])
  await user.click(button('Add domain'))
  expect(server.sent).toEqual([
    { method: 'POST', path: '/api/v1/apps/web/domains', body: { host: 'shop.example.org', path_prefix: '/x', version: 3 } },
  ])
  await waitFor(() => expect(status()).toBe('shop.example.org/x was added.'))
  expect(hosts()).toEqual(['a.example.org', 'b.example.org', 'shop.example.org/x'])
  expect(field('Host').value).toBe('')
  expect(document.activeElement?.textContent).toBe('shop.example.org/x was added.')
})

test('what is wrong is told at its field once it is left, and is not sent', async () => {
  const server = serve(LIST, [201, {}])
  const user = open()
  await user.type(field('Host'), 'shop.example.org:80')
  expect(errorOf(field('Host'))).toBeNull()
  await user.click(button('Add domain'))
  expect(errorOf(field('Host'))).toContain('The port is not part of the host')
  expect(document.activeElement).toBe(field('Host'))
  expect(server.sent).toEqual([])
  await user.clear(field('Host'))
  await user.type(field('Host'), 'shop.example.org')
  expect(errorOf(field('Host'))).toBeNull()
})

test.each([
  [422, { title: 'Invalid', errors: [{ field: 'host', message: 'Reserved.' }] }, 'Reserved.'],
  [409, { title: 'Conflict', detail: 'shop.example.org belongs to web.' }, 'shop.example.org belongs to web.'],
])('%i stands at the host, and what was typed stays', async (code, body, words) => {
  serve(LIST, [code, body])
  const user = open()
  await user.type(field('Host'), 'shop.example.org')
  await user.click(button('Add domain'))
  await waitFor(() => expect(errorOf(field('Host'))).toBe(words))
  expect(field('Host').value).toBe('shop.example.org')
  expect(screen.queryByRole('alert')).toBeNull()
})

test('only what was changed is sent', async () => {
  const server = serve({ ...LIST, version: 4 }, [200, {}])
  const user = open()
  await user.click(button('Edit b.example.org'))
  expect(document.activeElement).toBe(field('Host'))
  await user.type(field('Redirect to'), 'www.example.org')
  await user.type(field('Allowed addresses'), '203.0.113.0/24, ::1')
  await user.type(field('Name'), 'ann')
  await user.type(screen.getAllByLabelText('Password')[0]!, 'open sesame')
  await user.click(button('Save'))
  expect(server.sent).toEqual([
    {
      method: 'PATCH',
      path: '/api/v1/apps/web/domains/b.example.org?path_prefix=%2F',
      body: {
        redirect_to: 'www.example.org',
        allow_ips: ['203.0.113.0/24', '::1'],
        basic_auth: [{ user: 'ann', password: 'open sesame' }],
        version: 3,
      },
    },
  ])
  await waitFor(() => expect(status()).toBe('b.example.org is saved.'))
  expect(document.activeElement).toBe(button('Edit b.example.org'))
})

test('somebody else saved meanwhile: theirs and mine are both there, and no field of theirs is lost', async () => {
  const theirs = raw('b.example.org', 2, { path_prefix: '/', redirect_to: 'theirs.example.org', hsts: true })
  const server = serve({ version: 7, items: [raw('a.example.org', 1), theirs] }, [409, { title: 'Conflict', detail: 'stale' }], [200, {}])
  const user = open()
  await user.click(button('Edit b.example.org'))
  await user.type(field('Redirect to'), 'mine.example.org')
  await user.click(button('Save'))
  const alert = await screen.findByRole('alert')
  expect(alert.textContent).toContain('nothing of yours was saved')
  expect(document.activeElement).toBe(alert)
  expect(field('Redirect to').value).toBe('mine.example.org')
  expect(screen.getByText(/Saved by somebody else meanwhile: theirs.example.org/)).toBeTruthy()
  expect(screen.getByRole<HTMLInputElement>('checkbox', { name: /^HTTPS only/ }).checked).toBe(true)
  await user.click(button('Save'))
  expect(server.sent[1]?.body).toEqual({ redirect_to: 'mine.example.org', version: 7 })
})

test('somebody else removed what I edit: it is said, and saving adds it again', async () => {
  const server = serve({ version: 7, items: [raw('a.example.org', 1)] }, [409, { title: 'Conflict' }], [201, {}])
  const user = open()
  await user.click(button('Edit b.example.org'))
  await user.type(field('Redirect to'), 'mine.example.org')
  await user.click(button('Save'))
  expect((await screen.findByRole('alert')).textContent).toContain('saving adds it again')
  await user.click(button('Save'))
  expect(server.sent[1]).toMatchObject({ method: 'POST', body: { host: 'b.example.org', redirect_to: 'mine.example.org', version: 7 } })
})

test('a domain moves up by a button that keeps the keyboard', async () => {
  const server = serve({ ...LIST, version: 4, items: [raw('a.example.org', 2), raw('b.example.org', 1)] }, [200, {}])
  const user = open()
  await user.click(button('Move b.example.org up'))
  expect(server.sent[0]?.body).toEqual({ position: 1, version: 3 })
  await waitFor(() => expect(hosts()).toEqual(['b.example.org', 'a.example.org']))
  expect(status()).toBe("b.example.org is first, and the app's address.")
  expect(document.activeElement).toBe(button('Edit b.example.org'))
})

test('removing asks first, and hands the keyboard on', async () => {
  const server = serve({ version: 4, items: [raw('b.example.org', 1)] }, [204, null])
  const user = open()
  await user.click(button('Remove a.example.org'))
  expect(document.activeElement).toBe(button('Remove it'))
  await user.click(button('Keep it'))
  expect(server.sent).toEqual([])
  await user.click(button('Remove a.example.org'))
  await user.click(button('Remove it'))
  expect(server.sent[0]).toMatchObject({ method: 'DELETE', path: '/api/v1/apps/web/domains/a.example.org?path_prefix=%2F&version=3' })
  await waitFor(() => expect(hosts()).toEqual(['b.example.org']))
  expect(document.activeElement).toBe(button('Remove b.example.org'))
})

const waiting = (https: string) => ({ version: 3, items: [raw('a.example.org', 1, { state: { https, words: https, expires_at: null } })] })

test('DNS is looked at again while it is wrong, and no more once it is right', async () => {
  vi.useFakeTimers()
  const { fetch, held } = serve(waiting('waiting'), [200, {}])
  open(waiting('waiting'))
  await act(() => vi.advanceTimersByTimeAsync(EVERY))
  expect(fetch).toHaveBeenCalledTimes(1)
  held.list = waiting('issued')
  await act(() => vi.advanceTimersByTimeAsync(EVERY))
  expect(screen.getByText('certificate')).toBeTruthy()
  await act(() => vi.advanceTimersByTimeAsync(EVERY * 10))
  expect(fetch).toHaveBeenCalledTimes(2)
})

test('it is not looked at while nobody looks at the page, nor for ever', async () => {
  vi.useFakeTimers()
  const hidden = vi.spyOn(document, 'hidden', 'get').mockReturnValue(true)
  const { fetch } = serve(waiting('pending'), [200, {}])
  open(waiting('pending'))
  await act(() => vi.advanceTimersByTimeAsync(EVERY * 10))
  expect(fetch).not.toHaveBeenCalled()
  hidden.mockReturnValue(false)
  fireEvent(document, new Event('visibilitychange'))
  await act(() => vi.advanceTimersByTimeAsync(EVERY))
  expect(fetch).toHaveBeenCalledTimes(1)
  await act(() => vi.advanceTimersByTimeAsync(FOR_AT_MOST))
  const asked = fetch.mock.calls.length
  await act(() => vi.advanceTimersByTimeAsync(FOR_AT_MOST))
  expect(fetch).toHaveBeenCalledTimes(asked)
  expect(status()).toContain('Not looked at any more')
  fireEvent.click(button('Check a.example.org again'))
  expect(fetch).toHaveBeenCalledTimes(asked + 1)
})

test('records are copied', async () => {
  const dns = { verdict: 'wrong', found: ['198.51.100.1'], wanted: ['203.0.113.7'], records: ['a.example.org. A 203.0.113.7'] }
  const state = { https: 'waiting', words: 'Its DNS leads to 198.51.100.1.', expires_at: null, dns }
  const user = open({ version: 3, items: [raw('a.example.org', 1, { state })] })
  document.execCommand = vi.fn(() => true)
  await user.click(button('Copy 203.0.113.7'))
  expect(await screen.findByText('Copied')).toBeTruthy()
})

test('the list, both forms and a conflict are usable by everybody', async () => {
  serve({ version: 7, items: [raw('b.example.org', 1, { redirect_to: 'x.example.org' })] }, [409, { title: 'Conflict' }])
  const user = open()
  expect(await faults()).toEqual([])
  await user.click(button('Edit b.example.org'))
  await user.type(field('Redirect to'), 'mine.example.org')
  await user.click(button('Save'))
  const alert = await screen.findByRole('alert')
  expect(within(alert).getByRole('heading')).toBeTruthy()
  expect(await faults()).toEqual([])
})
